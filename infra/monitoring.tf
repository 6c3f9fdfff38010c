# Alerts on what the functions log. Each describes what to do: docs/operations.md has more, alert by alert.

locals {
  # The functions' services, and the page's.
  service_endings = join("|", concat([for name in keys(local.functions) : replace(name, "_", "-")], var.status_page_iap ? ["page"] : []))
  of_functions    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.prefix}-(${local.service_endings})$\""

  # In parentheses: in Cloud Logging OR binds more tightly than AND.
  in_pass = "(jsonPayload.event=\"endpoint\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.trigger=\"schedule\")"
  rests   = "(jsonPayload.wanted=\"paused\" OR jsonPayload.wanted=\"scaledToZero\")"
  nobodys = "(jsonPayload.wanted=\"any\" OR jsonPayload.outcome=\"skipped\")"

  # One metric each: the log lines that it counts (functions/lifecycle/web/logs.py). A dry run stops and starts nothing, so it
  # raises no alarm but the one for what bills a whole day.
  metrics = {
    failed         = "jsonPayload.event=\"endpoint\" AND jsonPayload.outcome=\"failed\""
    unready        = "${local.in_pass} AND jsonPayload.unready=true AND jsonPayload.dry_run=false"
    should-rest    = "${local.in_pass} AND jsonPayload.billing=true AND ${local.rests} AND jsonPayload.dry_run=false"
    token-refused  = "jsonPayload.code=\"token_refused\""
    bills-unwanted = "(${local.in_pass} AND jsonPayload.billing=true AND ${local.nobodys}) OR (jsonPayload.event=\"unmanaged\" AND jsonPayload.billing=true)"
    budget         = "jsonPayload.code=\"budget_spent\" OR jsonPayload.code=\"budget_near\""
    budget-unknown = "jsonPayload.code=\"budget_unknown\""
    billing        = "(${local.in_pass} OR jsonPayload.event=\"unmanaged\") AND jsonPayload.billing=true"
    passes         = "jsonPayload.event=\"call\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.trigger=\"schedule\""
  }

  pass = ceil(local.reconcile_minutes) * 60 # seconds

  # An alarm goes off when there are more than `more_than` lines in `window` seconds (90,000 at the most): of all endpoints
  # together, so that a hundred that fail at once are one notice, or of each, where only its own lines in a row mean something.
  # An endpoint that has been so for S seconds has a line in S/pass + 1 passes, which fit into a little more than S seconds.
  line_alerts = {
    failed = {
      title  = "an action failed"
      window = 3600, more_than = 0, by = []
      todo   = "The log line names the endpoint and the reason. 403, payment and unknown names need a person; the next reconcile run retries everything else."
    }
    unready = {
      title = "not answering when its hours began"
      # Twice: a start that takes its few minutes is no alarm.
      window = max(3600, 2 * local.pass), more_than = 1, by = ["metric.label.name"]
      todo   = "Look at the endpoint's logs at Hugging Face. It may need a longer lead, or another region."
    }
    should-rest = {
      title  = "running for 30 minutes, and should rest"
      window = 1800 + local.pass, more_than = ceil(1800 / local.pass), by = ["metric.label.name"]
      todo   = "Pause it: `lifecycle pause NAME`. The log line's reason explains why no rule paused it."
    }
    token-refused = {
      title  = "Hugging Face refused the token"
      window = 3600, more_than = 0, by = []
      todo   = "Add a version with a new token: `gcloud secrets versions add ${var.prefix}-hf-token --data-file=-`"
    }
    bills-unwanted = {
      title = "bills for 24 hours, and no rule wants it"
      # An hour more, so that a few lost passes hide nothing.
      window = 90000, more_than = ceil(86400 / local.pass), by = ["metric.label.name"]
      todo   = "Give the endpoint an entry in the settings, or pause it. In a dry run: consider setting `dry_run: false`."
    }
    budget = {
      title = "a budget is spent, or nearly"
      # Near is one line a day; spent is a line of every run until the month ends.
      window = 3600, more_than = 0, by = ["metric.label.name"]
      todo   = "The log line states what was billed; `lifecycle report` shows details. Raise the budget in the settings, or start what is needed with `lifecycle resume --force NAME`."
    }
    budget-unknown = {
      title = "a budget is not applied, because what was billed is not known"
      # For an hour; a single run that could not read it is no alarm.
      window = 3600 + local.pass, more_than = ceil(3600 / local.pass) - 1, by = ["metric.label.name"]
      todo   = "The log line gives the reason: Cloud Monitoring refuses or does not answer, MONITORING_PARENT is not set, or prices are not known."
    }
  }

  alerts = merge(
    {
      for name, alert in local.line_alerts : name => {
        title      = alert.title
        filter     = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.this[name].name}\""
        more_than  = alert.more_than
        absent     = null
        window     = alert.window
        aligner    = "ALIGN_SUM"
        by         = alert.by
        auto_close = "1800s" # without new lines it is over
        todo       = alert.todo
        lines      = google_logging_metric.this[name].filter
      }
    },
    {
      silent = {
        title     = "reconcile is silent"
        filter    = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.this["passes"].name}\""
        more_than = null
        # Three reconcile runs. A run logs its line when it ends, and one that waits for a start may take nine minutes.
        absent     = 3 * local.pass + 600
        window     = 60
        aligner    = "ALIGN_SUM"
        by         = []
        auto_close = null
        todo       = "Is the job ${var.prefix}-reconcile paused or failing? `gcloud scheduler jobs describe ${var.prefix}-reconcile --location ${local.scheduler_region}`. Then run `lifecycle sync`."
        lines      = google_logging_metric.this["passes"].filter
      }
      dead-letters = {
        title      = "a platform's message was not taken"
        filter     = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        more_than  = 0
        absent     = null
        window     = 300
        aligner    = "ALIGN_MAX"
        by         = []
        auto_close = null
        todo       = "Look at it: `gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead_letters.name} --limit 10`. Publish the platform's current state again, then pull with `--auto-ack`."
        lines      = "${local.of_functions} AND jsonPayload.function=\"platform_event\""
      }
    },
  )

  channels = concat(values(google_monitoring_notification_channel.email)[*].id, var.notification_channels)
}

resource "google_logging_metric" "this" {
  for_each = local.metrics

  name        = "${var.prefix}-${each.key}"
  project     = var.project_id
  description = "Log lines of hf-endpoint-lifecycle: ${each.key}"
  filter      = "${local.of_functions} AND (${each.value})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"

    labels {
      key         = "name"
      value_type  = "STRING"
      description = "The endpoint at Hugging Face"
    }
  }

  label_extractors = { name = "EXTRACT(jsonPayload.name)" }

  depends_on = [time_sleep.services]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [time_sleep.services]
}

resource "google_monitoring_alert_policy" "this" {
  for_each = { for name, alert in local.alerts : name => alert if var.alerts }

  project      = var.project_id
  display_name = "${var.prefix}: ${each.value.title}"
  combiner     = "OR"
  user_labels  = local.labels

  conditions {
    display_name = each.value.title

    dynamic "condition_threshold" {
      for_each = each.value.absent == null ? [each.value] : []

      content {
        filter          = condition_threshold.value.filter
        comparison      = "COMPARISON_GT"
        threshold_value = condition_threshold.value.more_than
        duration        = "0s"

        aggregations {
          alignment_period     = "${condition_threshold.value.window}s"
          per_series_aligner   = condition_threshold.value.aligner
          cross_series_reducer = "REDUCE_SUM"
          group_by_fields      = condition_threshold.value.by
        }
      }
    }

    dynamic "condition_absent" {
      for_each = each.value.absent == null ? [] : [each.value]

      content {
        filter   = condition_absent.value.filter
        duration = "${condition_absent.value.absent}s"

        aggregations {
          alignment_period     = "${condition_absent.value.window}s"
          per_series_aligner   = condition_absent.value.aligner
          cross_series_reducer = "REDUCE_SUM"
        }
      }
    }
  }

  # One notice when an incident begins, and one a day while it lasts.
  alert_strategy {
    auto_close           = each.value.auto_close
    notification_prompts = ["OPENED"]

    dynamic "notification_channel_strategy" {
      for_each = length(local.channels) > 0 ? [local.channels] : []

      content {
        notification_channel_names = notification_channel_strategy.value
        renotify_interval          = "86400s"
      }
    }
  }

  documentation {
    content   = join("", [each.value.todo, length(each.value.by) > 0 ? " The endpoint: $${metric.label.name}." : ""])
    mime_type = "text/markdown"

    links {
      display_name = "The log lines"
      url          = "https://console.cloud.google.com/logs/query;query=${replace(urlencode(each.value.lines), "+", "%20")};duration=P1D?project=${var.project_id}"
    }
  }

  notification_channels = local.channels

  # Monitoring knows a new metric only after some minutes, which the functions' first build takes anyway.
  depends_on = [google_cloudfunctions2_function.this]
}

# Alerts on the functions' log lines. Each alert states what to do; docs/operations.md describes each in more detail.

locals {
  # The functions' services, and the page's.
  service_endings = join("|", concat([for name in keys(local.functions) : replace(name, "_", "-")], var.status_page_iap ? ["page"] : []))
  of_functions    = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.prefix}-(${local.service_endings})$\""

  # In parentheses: in Cloud Logging OR binds more tightly than AND.
  in_run      = "(jsonPayload.event=\"endpoint\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.trigger=\"schedule\")"
  should_stop = "(jsonPayload.wanted=\"paused\" OR jsonPayload.wanted=\"scaledToZero\")"
  no_rule     = "(jsonPayload.wanted=\"any\" OR jsonPayload.outcome=\"skipped\")"

  # The log lines that each metric counts (functions/lifecycle/web/logs.py writes them). A dry run stops and starts nothing, so
  # its lines do not count for `unready` and `should-rest`.
  metrics = {
    failed         = "jsonPayload.event=\"endpoint\" AND jsonPayload.outcome=\"failed\""
    unready        = "${local.in_run} AND jsonPayload.unready=true AND jsonPayload.dry_run=false"
    should-rest    = "${local.in_run} AND jsonPayload.billing=true AND ${local.should_stop} AND jsonPayload.dry_run=false"
    token-refused  = "jsonPayload.code=\"token_refused\""
    bills-unwanted = "(${local.in_run} AND jsonPayload.billing=true AND ${local.no_rule}) OR (jsonPayload.event=\"unmanaged\" AND jsonPayload.billing=true)"
    budget         = "jsonPayload.code=\"budget_spent\" OR jsonPayload.code=\"budget_near\""
    budget-unknown = "jsonPayload.code=\"budget_unknown\""
    billing        = "(${local.in_run} OR jsonPayload.event=\"unmanaged\") AND jsonPayload.billing=true"
    runs           = "jsonPayload.event=\"call\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.trigger=\"schedule\""
  }

  run_interval = ceil(local.reconcile_minutes) * 60 # seconds

  # An alert fires when there are more than `more_than` lines in `window` seconds (at most 90,000). With an empty `by` the lines
  # of all endpoints count together, so that a hundred failures at once are one notification. Otherwise each endpoint counts for
  # itself. A state that has lasted for S seconds has S / run_interval + 1 lines, which fit into a little more than S seconds.
  line_alerts = {
    failed = {
      title  = "an action failed"
      window = 3600, more_than = 0, by = []
      todo   = "The log line names the endpoint and the reason. Correct permissions (403), payment problems and unknown names yourself; the next reconcile run retries everything else."
    }
    unready = {
      title = "not answering when its hours began"
      # Two lines: a start that takes a few minutes is not an alert.
      window = max(3600, 2 * local.run_interval), more_than = 1, by = ["metric.label.name"]
      todo   = "Look at the endpoint's logs at Hugging Face. It may need a longer lead, or another region."
    }
    should-rest = {
      title  = "running for 30 minutes, and should be stopped"
      window = 1800 + local.run_interval, more_than = ceil(1800 / local.run_interval), by = ["metric.label.name"]
      todo   = "The reason in the log line explains why it was not stopped. To stop it: `lifecycle pause NAME`."
    }
    token-refused = {
      title  = "Hugging Face refused the token"
      window = 3600, more_than = 0, by = []
      todo   = "Add a version with a new token: `gcloud secrets versions add ${var.prefix}-hf-token --data-file=-`"
    }
    bills-unwanted = {
      title = "bills for 24 hours, and no rule wants it to run"
      # An hour more, so that it also fires when a few runs are missing.
      window = 90000, more_than = ceil(86400 / local.run_interval), by = ["metric.label.name"]
      todo   = "Give the endpoint an entry in the settings, or pause it. In a dry run: consider setting `dry_run: false`."
    }
    budget = {
      title = "a budget is spent, or nearly"
      # A budget that is nearly spent has one line a day; a spent one has a line in every run until the month ends.
      window = 3600, more_than = 0, by = ["metric.label.name"]
      todo   = "The log line states what was billed; `lifecycle report` shows details. Raise the budget in the settings, or start what is needed with `lifecycle resume --force NAME`."
    }
    budget-unknown = {
      title = "a budget is not applied, because the billed costs are unknown"
      # For an hour: a single run that could not read the costs is not an alert.
      window = 3600 + local.run_interval, more_than = ceil(3600 / local.run_interval) - 1, by = ["metric.label.name"]
      todo   = "The log line gives the reason: Cloud Monitoring refuses or does not answer, MONITORING_PARENT is not set, or prices are unknown."
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
        auto_close = "1800s" # it is over when there are no new lines
        todo       = alert.todo
        lines      = google_logging_metric.this[name].filter
      }
    },
    {
      silent = {
        title     = "reconcile is silent"
        filter    = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.this["runs"].name}\""
        more_than = null
        # Three reconcile runs. A run logs its line when it ends, and one that waits for a start may take nine minutes.
        absent     = 3 * local.run_interval + 600
        window     = 60
        aligner    = "ALIGN_SUM"
        by         = []
        auto_close = null
        todo       = "Is the job ${var.prefix}-reconcile paused or failing? `gcloud scheduler jobs describe ${var.prefix}-reconcile --location ${local.scheduler_region}`. Then run `lifecycle sync`."
        lines      = google_logging_metric.this["runs"].filter
      }
      dead-letters = {
        title      = "a platform message could not be processed"
        filter     = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
        more_than  = 0
        absent     = null
        window     = 300
        aligner    = "ALIGN_MAX"
        by         = []
        auto_close = null
        todo       = "Read the message: `gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead_letters.name} --limit 10`. Publish the platform's current state again, then pull with `--auto-ack`."
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

  # One notification when an incident begins, and one a day while it lasts.
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

  # Cloud Monitoring knows a new metric only after some minutes. The first build of the functions takes that long anyway.
  depends_on = [google_cloudfunctions2_function.this]
}

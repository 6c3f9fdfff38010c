# Alerts on what the functions log. Each says what to do: docs/operations.md has more, alert by alert.

locals {
  of_functions = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=~\"^${var.prefix}-(${join("|", [for name in keys(local.functions) : replace(name, "_", "-")])})$\""

  rests = "(jsonPayload.wanted=\"paused\" OR jsonPayload.wanted=\"scaledToZero\")"

  # One metric each: the log lines that it counts.
  metrics = {
    failed         = "jsonPayload.event=\"endpoint\" AND jsonPayload.outcome=\"failed\""
    unready        = "jsonPayload.event=\"endpoint\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.unready=true"
    should-rest    = "jsonPayload.event=\"endpoint\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.billing=true AND ${local.rests}"
    passes         = "jsonPayload.event=\"call\" AND jsonPayload.function=\"reconcile\" AND jsonPayload.trigger=\"schedule\""
    token-refused  = "jsonPayload.code=\"token_refused\""
    bills-unwanted = "jsonPayload.billing=true AND (jsonPayload.event=\"unmanaged\" OR (jsonPayload.event=\"endpoint\" AND jsonPayload.function=\"reconcile\" AND (jsonPayload.wanted=\"any\" OR jsonPayload.outcome=\"skipped\")))"
  }

  pass = "${ceil(local.reconcile_minutes) * 60}s"

  # Above `more_than` lines in each `window`, for as long as `lasts`.
  alerts = {
    failed = {
      title = "an action failed", metric = "failed", window = "300s", lasts = "0s", more_than = 0,
      todo  = "The log line names the endpoint and the reason. 403, payment and unknown names need a person; what may pass is tried again by the next pass."
    }
    unready = {
      title = "not answering when its hours began", metric = "unready", window = "600s", lasts = "0s", more_than = 0,
      todo  = "Look at the endpoint's logs at Hugging Face. It may need a longer lead, or another region."
    }
    should-rest = {
      title = "running for 30 minutes, and should rest", metric = "should-rest", window = local.pass, lasts = "1800s", more_than = 0,
      todo  = "Pause it: `lifecycle pause NAME`. The log line's reason says why it was not paused by itself."
    }
    token-refused = {
      title = "Hugging Face refused the token", metric = "token-refused", window = "300s", lasts = "0s", more_than = 0,
      todo  = "Add a version with a new token: gcloud secrets versions add ${var.prefix}-hf-token --data-file=-"
    }
    bills-unwanted = {
      title = "bills for 24 hours, and no rule wants it", metric = "bills-unwanted", window = "3600s", lasts = "84600s", more_than = 0,
      todo  = "Give the endpoint an entry in the settings, or pause it."
    }
  }

  alert_count = var.alerts ? 1 : 0
  channels    = concat(values(google_monitoring_notification_channel.email)[*].id, var.notification_channels)
}

resource "google_logging_metric" "this" {
  for_each = local.metrics

  name        = "${var.prefix}-${each.key}"
  project     = var.project_id
  description = "Log lines of hf-endpoint-lifecycle: ${each.key}"
  filter      = "${local.of_functions} AND ${each.value}"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
  }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = toset(var.alert_emails)

  project      = var.project_id
  display_name = "hf-endpoint-lifecycle: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }

  depends_on = [google_project_service.this]
}

resource "google_monitoring_alert_policy" "lines" {
  for_each = var.alerts ? local.alerts : {}

  project      = var.project_id
  display_name = "${var.prefix}: ${each.value.title}"
  combiner     = "OR"
  user_labels  = local.labels

  conditions {
    display_name = each.value.title

    condition_threshold {
      filter          = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.this[each.value.metric].name}\""
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.more_than
      duration        = each.value.lasts

      # One incident for all endpoints and functions: notices come grouped.
      aggregations {
        alignment_period     = each.value.window
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  alert_strategy {
    auto_close           = "86400s"
    notification_prompts = ["OPENED"]
  }

  documentation {
    content   = each.value.todo
    mime_type = "text/markdown"
  }

  notification_channels = local.channels
}

resource "google_monitoring_alert_policy" "silent" {
  count = local.alert_count

  project      = var.project_id
  display_name = "${var.prefix}: reconcile is silent"
  combiner     = "OR"
  user_labels  = local.labels

  conditions {
    display_name = "no pass for three times reconcile_every"

    condition_absent {
      filter   = "resource.type=\"cloud_run_revision\" AND metric.type=\"logging.googleapis.com/user/${google_logging_metric.this["passes"].name}\""
      duration = "${3 * ceil(local.reconcile_minutes) * 60}s"

      aggregations {
        alignment_period     = "60s"
        per_series_aligner   = "ALIGN_SUM"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "Is the job ${var.prefix}-reconcile paused or failing? Run `lifecycle sync`."
    mime_type = "text/markdown"
  }

  notification_channels = local.channels
}

resource "google_monitoring_alert_policy" "dead_letters" {
  count = local.alert_count

  project      = var.project_id
  display_name = "${var.prefix}: a platform's message was not taken"
  combiner     = "OR"
  user_labels  = local.labels

  conditions {
    display_name = "the dead-letter subscription is not empty"

    condition_threshold {
      filter          = "resource.type=\"pubsub_subscription\" AND resource.labels.subscription_id=\"${google_pubsub_subscription.dead_letters.name}\" AND metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MAX"
      }
    }
  }

  documentation {
    content   = "Look at it: gcloud pubsub subscriptions pull ${google_pubsub_subscription.dead_letters.name} --limit 10. Publish the platform's newest word again."
    mime_type = "text/markdown"
  }

  notification_channels = local.channels
}

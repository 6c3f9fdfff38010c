# The dashboard: open incidents, which endpoints may bill and why, whether reconcile runs, how the functions perform.

locals {
  # Charts of log lines: each metric, and the chart's title.
  line_charts = {
    billing        = "May bill: runs an hour that observed it"
    should-rest    = "Should be stopped, and may bill"
    bills-unwanted = "No rule wants it to run, and it may bill"
    unready        = "Its hours have begun, and it does not answer"
    failed         = "Failed actions"
    runs           = "Reconcile runs an hour: ${floor(3600 / local.run_interval)} are due, and more at boundaries"
  }

  service_filter = "resource.type=\"cloud_run_revision\" AND resource.label.service_name=monitoring.regex.full_match(\"${var.prefix}-(${local.service_endings})\")"

  metric_charts = [
    {
      title  = "Calls, by function and kind of answer"
      type   = "STACKED_BAR"
      filter = "metric.type=\"run.googleapis.com/request_count\" AND ${local.service_filter}"
      period = "3600s", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM"
      by     = ["resource.label.service_name", "metric.label.response_code_class"]
    },
    {
      title  = "Duration of calls, 95th percentile, in milliseconds"
      type   = "LINE"
      filter = "metric.type=\"run.googleapis.com/request_latencies\" AND ${local.service_filter}"
      period = "3600s", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95"
      by     = ["resource.label.service_name"]
    },
    {
      title  = "Platform messages not yet delivered, and dead letters"
      type   = "LINE"
      filter = "metric.type=\"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type=\"pubsub_subscription\" AND resource.label.subscription_id=monitoring.regex.full_match(\"${google_pubsub_subscription.events.name}|${google_pubsub_subscription.dead_letters.name}\")"
      period = "300s", aligner = "ALIGN_MAX", reducer = "REDUCE_MAX"
      by     = ["resource.label.subscription_id"]
    },
  ]

  charts = concat(
    [
      for name, title in local.line_charts : {
        title  = title
        type   = "STACKED_BAR"
        filter = "metric.type=\"logging.googleapis.com/user/${google_logging_metric.this[name].name}\" AND resource.type=\"cloud_run_revision\""
        period = "3600s", aligner = "ALIGN_SUM", reducer = "REDUCE_SUM"
        by     = ["metric.label.name"]
      }
    ],
    local.metric_charts,
  )
}

resource "google_monitoring_dashboard" "this" {
  project = var.project_id

  dashboard_json = jsonencode({
    displayName = "hf-endpoint-lifecycle (${var.prefix})"
    labels      = local.labels

    gridLayout = {
      columns = "2"

      widgets = concat(
        var.alerts ? [{
          title        = "Open incidents"
          incidentList = { policyNames = values(google_monitoring_alert_policy.this)[*].name }
        }] : [],
        [
          for chart in local.charts : {
            title = chart.title

            xyChart = {
              dataSets = [{
                plotType = chart.type

                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = chart.filter

                    aggregation = {
                      alignmentPeriod    = chart.period
                      perSeriesAligner   = chart.aligner
                      crossSeriesReducer = chart.reducer
                      groupByFields      = chart.by
                    }
                  }
                }
              }]
            }
          }
        ],
        [{
          title = "Actions and their reasons"

          logsPanel = {
            filter        = "${local.of_functions} AND jsonPayload.event=\"endpoint\" AND NOT jsonPayload.outcome=\"unchanged\""
            resourceNames = ["projects/${var.project_id}"]
          }
        }],
      )
    }
  })

  depends_on = [google_cloudfunctions2_function.this]
}

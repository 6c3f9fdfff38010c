# History and costs. A separate log bucket keeps the functions' lines, longer than the project's _Default bucket does.
# Log-based metrics keep what endpoints cost and how long they take to start. Nothing else is stored: see
# docs/operations.md, "History and money".

locals {
  # Where the functions and the command line read (LOGGING_PARENT and MONITORING_PARENT). These are built from variables, not
  # from resources, because functions and outputs need them before anything exists.
  history_bucket    = "projects/${var.project_id}/locations/${var.region}/buckets/${var.prefix}"
  logging_parent    = "${local.history_bucket}/views/${var.prefix}"
  monitoring_parent = "projects/${var.project_id}"

  history_readers = merge({ runtime = google_service_account.runtime.member }, { for member in var.people : member => member })

  # The field of the log lines from which each distribution metric takes its values. The mean of a distribution is exact,
  # whatever its buckets are. A percentile is as exact as the buckets are narrow.
  distributions = {
    dollars-per-hour = {
      field       = "dollars_per_hour"
      unit        = "1"
      description = "Dollars an hour that an endpoint costs, as each reconcile run sees it; 0 when stopped"
      linear      = []
      explicit    = [[0.001]] # stopped, or not
    }
    start-seconds = {
      field       = "start_seconds"
      unit        = "s"
      description = "Seconds from the request that started an endpoint until it answered"
      linear      = [{ width = 10, count = 180 }] # half an hour in steps of ten seconds
      explicit    = []
    }
  }
}

resource "google_logging_project_bucket_config" "history" {
  project        = var.project_id
  location       = var.region
  bucket_id      = var.prefix
  description    = "hf-endpoint-lifecycle (${var.prefix}): actions and their reasons"
  retention_days = var.history_days

  depends_on = [time_sleep.services]
}

# In parentheses, so that a condition that is added later applies to all of it.
resource "google_logging_project_sink" "history" {
  name        = "${var.prefix}-history"
  project     = var.project_id
  description = "The functions' lines of hf-endpoint-lifecycle (${var.prefix})"
  destination = "logging.googleapis.com/${google_logging_project_bucket_config.history.id}"
  filter      = "(${local.of_functions}) AND jsonPayload.event:*"

  unique_writer_identity = true
}

# The bucket has only these lines. Rights can only be granted on a view.
resource "google_logging_log_view" "history" {
  parent      = "projects/${var.project_id}"
  location    = var.region
  bucket      = google_logging_project_bucket_config.history.id
  name        = var.prefix
  description = "What `lifecycle history` reads"
  filter      = "SOURCE(\"projects/${var.project_id}\")"
}

resource "google_logging_log_view_iam_member" "history" {
  for_each = local.history_readers

  parent   = google_logging_log_view.history.parent
  location = google_logging_log_view.history.location
  bucket   = google_logging_log_view.history.bucket
  name     = google_logging_log_view.history.name
  role     = "roles/logging.viewAccessor"
  member   = each.value
}

resource "google_logging_metric" "history" {
  for_each = local.distributions

  name            = "${var.prefix}-${each.key}"
  project         = var.project_id
  description     = each.value.description
  filter          = "${local.of_functions} AND jsonPayload.event=\"endpoint\" AND jsonPayload.${each.value.field}>=0"
  value_extractor = "EXTRACT(jsonPayload.${each.value.field})"

  label_extractors = {
    endpoint = "EXTRACT(jsonPayload.endpoint)"
    name     = "EXTRACT(jsonPayload.name)"
  }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    labels {
      key         = "endpoint"
      value_type  = "STRING"
      description = "The entry in the settings"
    }

    labels {
      key         = "name"
      value_type  = "STRING"
      description = "The endpoint at Hugging Face"
    }
  }

  bucket_options {
    dynamic "linear_buckets" {
      for_each = each.value.linear

      content {
        num_finite_buckets = linear_buckets.value.count
        width              = linear_buckets.value.width
        offset             = 0
      }
    }

    dynamic "explicit_buckets" {
      for_each = each.value.explicit

      content {
        bounds = explicit_buckets.value
      }
    }
  }

  depends_on = [time_sleep.services]
}

# Cloud Monitoring has no rights on single metrics, so this role reads the project's time series and nothing else.
resource "google_project_iam_custom_role" "time_series" {
  role_id     = "${replace(var.prefix, "-", "_")}_time_series"
  project     = var.project_id
  title       = "hf-endpoint-lifecycle (${var.prefix}): time series"
  description = "Read what endpoints cost and how long they take to start"
  permissions = ["monitoring.timeSeries.list"]

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "time_series" {
  for_each = local.history_readers

  project = var.project_id
  role    = google_project_iam_custom_role.time_series.id
  member  = each.value
}

# The past: where it is kept, for how long, and who reads it.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  mock_resource "google_logging_project_bucket_config" {
    defaults = { id = "projects/acme-ml-prod/locations/europe-west1/buckets/lifecycle" }
  }
}

variables {
  project_id      = "acme-ml-prod"
  people          = ["group:ml-team@example.com"]
  state_bucket    = "acme-ml-prod-terraform"
  wait_for_rights = 0
}

run "lines_are_kept_in_a_bucket_of_their_own" {
  assert {
    condition     = google_logging_project_bucket_config.history.retention_days == 400 && google_logging_project_bucket_config.history.location == "europe-west1"
    error_message = "400 days, in the region of the functions."
  }

  assert {
    condition     = google_logging_project_sink.history.destination == "logging.googleapis.com/projects/acme-ml-prod/locations/europe-west1/buckets/lifecycle"
    error_message = "The sink writes to this bucket."
  }

  assert {
    condition     = strcontains(google_logging_project_sink.history.filter, "service_name=~\"^lifecycle-(") && strcontains(google_logging_project_sink.history.filter, "AND jsonPayload.event:*")
    error_message = "The functions' structured lines of this environment, and nothing else."
  }

  assert {
    condition     = google_logging_log_view.history.bucket == google_logging_project_bucket_config.history.id && google_logging_log_view.history.name == "lifecycle"
    error_message = "The view shows this bucket."
  }
}

run "metrics_keep_values" {
  assert {
    condition     = { for key, metric in google_logging_metric.history : metric.name => metric.value_extractor } == { lifecycle-dollars-per-hour = "EXTRACT(jsonPayload.dollars_per_hour)", lifecycle-start-seconds = "EXTRACT(jsonPayload.start_seconds)" }
    error_message = "The functions read the metrics by these names."
  }

  assert {
    condition     = alltrue([for metric in google_logging_metric.history : metric.metric_descriptor[0].value_type == "DISTRIBUTION" && metric.metric_descriptor[0].metric_kind == "DELTA"])
    error_message = "Values need distributions."
  }

  assert {
    condition     = alltrue([for metric in google_logging_metric.history : metric.label_extractors == tomap({ endpoint = "EXTRACT(jsonPayload.endpoint)", name = "EXTRACT(jsonPayload.name)" }) && toset(metric.metric_descriptor[0].labels[*].key) == toset(["endpoint", "name"])])
    error_message = "Values belong to an entry and to an endpoint of it."
  }

  assert {
    condition     = alltrue([for key, metric in google_logging_metric.history : strcontains(metric.filter, ">=0")])
    error_message = "A line without the value counts for nothing, a 0 does."
  }

  assert {
    condition     = google_logging_metric.history["start-seconds"].bucket_options[0].linear_buckets[0].width == 10 && google_logging_metric.history["start-seconds"].bucket_options[0].linear_buckets[0].num_finite_buckets == 180
    error_message = "Percentiles of starts are exact to ten seconds, up to half an hour."
  }
}

run "the_view_and_time_series_are_all_that_is_read" {
  assert {
    condition     = { for key, grant in google_logging_log_view_iam_member.history : grant.member => grant.role } == { (google_service_account.runtime.member) = "roles/logging.viewAccessor", "group:ml-team@example.com" = "roles/logging.viewAccessor" }
    error_message = "The functions and people read the view."
  }

  assert {
    condition     = alltrue([for grant in google_logging_log_view_iam_member.history : grant.bucket == google_logging_log_view.history.bucket && grant.name == google_logging_log_view.history.name])
    error_message = "It is a right on the one view, not on the project's logs."
  }

  assert {
    condition     = google_project_iam_custom_role.time_series.permissions == toset(["monitoring.timeSeries.list"])
    error_message = "Of Cloud Monitoring, time series are read and nothing else."
  }

  assert {
    condition     = toset([for grant in google_project_iam_member.time_series : grant.member]) == toset([google_service_account.runtime.member, "group:ml-team@example.com"])
    error_message = "The functions and people read time series."
  }

  assert {
    condition = toset([for permission in google_project_iam_custom_role.deploy[0].permissions : permission if startswith(permission, "logging.buckets.") || startswith(permission, "logging.views.")]) == toset([
      "logging.buckets.get", "logging.views.get", "logging.views.getIamPolicy",
    ])
    error_message = "A deployment changes neither bucket nor view, and reads no line."
  }
}

run "functions_and_the_command_line_know_where" {
  assert {
    condition = alltrue([for function in google_cloudfunctions2_function.this :
      function.service_config[0].environment_variables["LOGGING_PARENT"] == "projects/acme-ml-prod/locations/europe-west1/buckets/lifecycle/views/lifecycle" &&
      function.service_config[0].environment_variables["MONITORING_PARENT"] == "projects/acme-ml-prod"
    ])
    error_message = "Each function knows the view and the project."
  }

  assert {
    condition     = output.environment["LOGGING_PARENT"] == "projects/acme-ml-prod/locations/europe-west1/buckets/lifecycle/views/lifecycle" && output.environment["MONITORING_PARENT"] == "projects/acme-ml-prod"
    error_message = "So does the command line."
  }
}

run "retention_is_a_variable" {
  variables {
    history_days = 30
  }

  assert {
    condition     = google_logging_project_bucket_config.history.retention_days == 30
    error_message = "Thirty days cost no retention."
  }
}

run "retention_has_bounds" {
  command = plan

  variables {
    history_days = 3651
  }

  expect_failures = [var.history_days]
}

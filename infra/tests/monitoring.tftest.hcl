# Alerts: what they count, and when they notify.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  mock_data "google_cloud_run_v2_service" {
    defaults = { template = [{ containers = [{ image = "console@sha256:1", base_image_uri = "python314" }] }] }
  }
}

variables {
  project_id      = "acme-ml-prod"
  alert_emails    = ["ml-team@example.com"]
  wait_for_rights = 0
}

run "there_is_an_alert_for_everything_that_needs_a_person" {
  assert {
    condition = toset(keys(google_monitoring_alert_policy.this)) == toset([
      "failed", "unready", "should-rest", "token-refused", "bills-unwanted", "budget", "budget-unknown", "silent",
      "dead-letters",
    ])
    error_message = "The alerts are those of docs/operations.md."
  }

  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : length(alert.documentation[0].content) > 40])
    error_message = "Each alert says what to do."
  }

  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : alert.notification_channels == tolist([google_monitoring_notification_channel.email["ml-team@example.com"].id])])
    error_message = "Each alert reaches somebody."
  }

  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : alert.alert_strategy[0].notification_prompts == tolist(["OPENED"]) && alert.alert_strategy[0].notification_channel_strategy[0].renotify_interval == "86400s"])
    error_message = "Each alert notifies when it opens, and once a day while it lasts."
  }

  assert {
    condition = { for name, alert in google_monitoring_alert_policy.this : name => alert.conditions[0].condition_threshold[0].aggregations[0].group_by_fields == tolist(["metric.label.name"]) if name != "silent" } == {
      failed = false, token-refused = false, dead-letters = false, unready = true, should-rest = true, bills-unwanted = true,
      budget = true, budget-unknown = true
    }
    error_message = "Failures count together; states that last are counted for each endpoint."
  }

  assert {
    condition     = alltrue([for metric in google_logging_metric.this : strcontains(metric.filter, "service_name=~\"^lifecycle-(console|pause|platform-event|reconcile|resume|status|warm)$\"")])
    error_message = "Lines of this environment alone are counted."
  }
}

run "times_follow_from_reconcile_every" {
  # The sample's: 10m.
  assert {
    condition     = google_monitoring_alert_policy.this["silent"].conditions[0].condition_absent[0].duration == "2400s"
    error_message = "Three runs, and the time that a run may take."
  }

  assert {
    condition = (
      google_monitoring_alert_policy.this["should-rest"].conditions[0].condition_threshold[0].threshold_value == 3 &&
      google_monitoring_alert_policy.this["should-rest"].conditions[0].condition_threshold[0].aggregations[0].alignment_period == "2400s"
    )
    error_message = "The lines of four runs in a row are thirty minutes."
  }

  assert {
    condition     = google_monitoring_alert_policy.this["bills-unwanted"].conditions[0].condition_threshold[0].threshold_value == 144
    error_message = "More than the runs of a day."
  }
}

run "a_link_in_an_alert_opens_its_lines" {
  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : !strcontains(alert.documentation[0].links[0].url, "+") && strcontains(alert.documentation[0].links[0].url, "%20AND%20")])
    error_message = "The console reads %20 as a space, and + as a plus."
  }
}

run "lines_of_the_page_are_counted" {
  variables {
    status_page_iap = true
  }

  assert {
    condition     = alltrue([for metric in google_logging_metric.this : strcontains(metric.filter, "|warm|page)$")])
    error_message = "The page's service is one of the services whose lines count."
  }
}

run "without_channels_incidents_are_in_the_console_alone" {
  variables {
    alert_emails = []
  }

  assert {
    condition     = alltrue([for alert in google_monitoring_alert_policy.this : length(alert.notification_channels) == 0 && length(alert.alert_strategy[0].notification_channel_strategy) == 0])
    error_message = "No channel, no strategy for channels."
  }
}

run "alerts_can_be_left_out" {
  variables {
    alerts = false
  }

  assert {
    condition     = length(google_monitoring_alert_policy.this) == 0 && length(google_logging_metric.this) > 0
    error_message = "The metrics and the dashboard stay."
  }
}

run "what_the_dashboard_shows_is_there" {
  assert {
    condition = alltrue([
      for widget in jsondecode(google_monitoring_dashboard.this.dashboard_json).gridLayout.widgets :
      length(setintersection(keys(widget), ["incidentList", "xyChart", "logsPanel"])) == 1
    ])
    error_message = "Each widget shows something."
  }
}

# Who may call which function. A binding is complete: the next apply removes every other member, including allUsers. While `people`
# is empty, `status` and `console` have no binding, so members that were added there manually remain.

locals {
  callers = {
    pause          = concat([google_service_account.invoker.member], var.people)
    resume         = concat([google_service_account.invoker.member], var.people)
    warm           = concat([google_service_account.invoker.member], var.people)
    reconcile      = concat([google_service_account.invoker.member], var.people)
    status         = var.people
    console        = var.people
    platform_event = [google_service_account.push.member]
  }
}

resource "google_cloud_run_v2_service_iam_binding" "invoker" {
  for_each = { for name, members in local.callers : name => members if length(members) > 0 }

  name     = google_cloudfunctions2_function.this[each.key].name
  project  = var.project_id
  location = var.region
  role     = "roles/run.invoker"
  members  = each.value

  # A replaced function has a new service, which nobody may call yet.
  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this[each.key].id]
  }
}

# `gcloud run services proxy` looks the service up before it calls it.
resource "google_cloud_run_v2_service_iam_binding" "console_viewer" {
  count = length(var.people) > 0 ? 1 : 0

  name     = google_cloudfunctions2_function.this["console"].name
  project  = var.project_id
  location = var.region
  role     = "roles/run.viewer"
  members  = var.people

  lifecycle {
    replace_triggered_by = [google_cloudfunctions2_function.this["console"].id]
  }
}

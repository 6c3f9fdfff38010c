# Who may call which function. A binding is the whole truth: whoever else was let in, allUsers too, is taken away by the
# next apply.

locals {
  callers = {
    pause          = concat([google_service_account.invoker.member], var.people)
    resume         = concat([google_service_account.invoker.member], var.people)
    warm           = concat([google_service_account.invoker.member], var.people)
    reconcile      = concat([google_service_account.invoker.member], var.people)
    status         = var.people
    platform_event = [google_service_account.push.member]
  }
}

resource "google_cloud_run_v2_service_iam_binding" "invoker" {
  for_each = { for name, function in local.functions : name => function if name != "status" || length(var.people) > 0 }

  name     = google_cloudfunctions2_function.this[each.key].name
  project  = var.project_id
  location = var.region
  role     = "roles/run.invoker"
  members  = local.callers[each.key]
}

# `gcloud run services proxy` looks the service up before it calls it.
resource "google_cloud_run_v2_service_iam_binding" "status_viewer" {
  count = length(var.people) > 0 ? 1 : 0

  name     = google_cloudfunctions2_function.this["status"].name
  project  = var.project_id
  location = var.region
  role     = "roles/run.viewer"
  members  = var.people
}

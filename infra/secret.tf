# The secret without its value: that is added by hand, and never is in Terraform's state.
resource "google_secret_manager_secret" "token" {
  secret_id = "${var.prefix}-hf-token"
  project   = var.project_id
  labels    = local.labels

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [time_sleep.services]
}

# Alone: a reader that was added by hand is taken away by the next apply.
resource "google_secret_manager_secret_iam_binding" "token" {
  secret_id = google_secret_manager_secret.token.secret_id
  project   = var.project_id
  role      = "roles/secretmanager.secretAccessor"
  members   = [google_service_account.runtime.member]
}

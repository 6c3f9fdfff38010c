# The secret without its value, which is added manually and is never in Terraform's state. A change of region or prefix would
# replace the secret and lose the value: Terraform refuses that until `deletion_protection` is false.
resource "google_secret_manager_secret" "token" {
  secret_id = "${var.prefix}-hf-token"
  project   = var.project_id
  labels    = local.labels

  deletion_protection = var.deletion_protection

  replication {
    user_managed {
      replicas {
        location = var.region

        dynamic "customer_managed_encryption" {
          for_each = var.kms_key[*]

          content {
            kms_key_name = customer_managed_encryption.value
          }
        }
      }
    }
  }

  depends_on = [time_sleep.services, time_sleep.key]
}

locals {
  # Where the token is when `mount_token` is set.
  token_folder = "/secrets"
  token_file   = "hf-token"
}

# The only reader: the next apply removes readers that were added manually.
resource "google_secret_manager_secret_iam_binding" "token" {
  secret_id = google_secret_manager_secret.token.secret_id
  project   = var.project_id
  role      = "roles/secretmanager.secretAccessor"
  members   = [google_service_account.runtime.member]

  lifecycle {
    replace_triggered_by = [google_secret_manager_secret.token.id]
  }
}

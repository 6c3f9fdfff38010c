# Plans for four sets of variables, as people deploy: the least, Identity-Aware Proxy, keys of their own, everything.
# tests/terraform reads the state of the last.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  mock_data "google_cloud_run_v2_service" {
    defaults = { template = [{ containers = [{ image = "console@sha256:1", base_image_uri = "python314" }] }] }
  }

  override_resource {
    target = google_service_account.invoker
    values = { email = "staging-invoker@acme-ml-prod.iam.gserviceaccount.com" }
  }
}

variables {
  project_id      = "acme-ml-prod"
  wait_for_rights = 0
}

run "the_least" {
  command = plan

  assert {
    condition     = length(google_cloud_run_v2_service.page) == 0 && length(google_kms_crypto_key_iam_member.users) == 0 && length(google_service_account.deploy) == 0 && length(google_logging_project_sink.vms) == 0
    error_message = "Nothing is made that was not asked for."
  }
}

run "the_page_behind_the_proxy" {
  command = plan

  variables {
    people          = ["group:ml-team@example.com"]
    status_page_iap = true
  }

  assert {
    condition     = length(google_cloud_run_v2_service.page) == 1 && length(google_iap_web_cloud_run_service_iam_binding.page) == 1
    error_message = "The page is served, to people."
  }
}

run "keys_of_their_own" {
  command = plan

  variables {
    kms_key = "projects/acme-keys/locations/europe-west1/keyRings/ml/cryptoKeys/lifecycle"
  }

  assert {
    condition     = toset(keys(google_kms_crypto_key_iam_member.users)) == toset(["secret", "topics", "bucket", "images"])
    error_message = "What stores uses the key."
  }
}

run "everything" {
  variables {
    region                = "europe-west1"
    scheduler_region      = "europe-west3"
    prefix                = "staging"
    labels                = { team = "ml" }
    settings_file         = "functions/lifecycle.yaml"
    python_runtime        = "python313"
    memory                = "1Gi"
    max_instances         = 5
    token_version         = "3"
    mount_token           = true
    deletion_protection   = false
    kms_key               = "projects/acme-keys/locations/europe-west1/keyRings/ml/cryptoKeys/lifecycle"
    ingress               = "ALLOW_INTERNAL_AND_GCLB"
    people                = ["group:ml-team@example.com"]
    publishers            = ["serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com"]
    platform_vms          = { main = "europe-west1-b" }
    status_page_iap       = true
    alerts                = true
    alert_emails          = ["ml-team@example.com"]
    notification_channels = ["projects/acme-ml-prod/notificationChannels/1"]
    state_bucket          = "acme-terraform"
    history_days          = 30
  }

  assert {
    condition     = length(google_cloud_run_v2_service.page) == 1 && length(google_kms_crypto_key_iam_member.users) == 4 && length(google_service_account.deploy) == 1 && length(google_logging_project_sink.vms) == 1
    error_message = "Everything is made."
  }
}

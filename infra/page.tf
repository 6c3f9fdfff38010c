# The status page behind Identity-Aware Proxy, by a Cloud Run service of its own from the same source: the proxy would turn
# away the identity tokens with which the command line asks the function `status`.

locals {
  page_image = "${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}/page"
}

resource "google_cloud_run_v2_service" "page" {
  count = var.status_page_iap ? 1 : 0

  name        = "${var.prefix}-page"
  project     = var.project_id
  location    = var.region
  description = "hf-endpoint-lifecycle: the status page for browsers"
  labels      = local.labels

  ingress              = "INGRESS_TRAFFIC_ALL"
  iap_enabled          = true
  invoker_iam_disabled = false
  deletion_protection  = false

  # A new source has a new name, so it is built and deployed as the functions are.
  build_config {
    source_location = "gs://${google_storage_bucket.source.name}/${google_storage_bucket_object.source.name}"
    function_target = "status"
    image_uri       = local.page_image
    service_account = google_service_account.build.name

    environment_variables = {
      GOOGLE_FUNCTION_SOURCE = "functions/main.py"
      GOOGLE_RUNTIME_VERSION = replace(var.python_runtime, "python3", "3.")
    }
  }

  template {
    service_account                  = google_service_account.runtime.email
    timeout                          = "60s"
    max_instance_request_concurrency = local.functions["status"].concurrency
    labels                           = local.labels

    scaling {
      min_instance_count = 0
      max_instance_count = local.functions["status"].instances
    }

    containers {
      image = local.page_image

      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = google_cloudfunctions2_function.this["status"].service_config[0].environment_variables

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  lifecycle {
    # The build puts the image's digest there.
    ignore_changes = [client, client_version, template[0].containers[0].image]
  }

  depends_on = [google_storage_bucket_iam_member.build_source]
}

# Cloud Run builds from the bucket itself; Cloud Run functions make a copy first.
resource "google_storage_bucket_iam_member" "build_source" {
  count = var.status_page_iap ? 1 : 0

  bucket = google_storage_bucket.source.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.build.member
}

# Only the proxy calls the service; only people pass the proxy.

resource "google_cloud_run_v2_service_iam_binding" "page" {
  count = var.status_page_iap ? 1 : 0

  name     = google_cloud_run_v2_service.page[0].name
  project  = var.project_id
  location = var.region
  role     = "roles/run.invoker"
  members  = [local.iap_agent]
}

resource "google_iap_web_cloud_run_service_iam_binding" "page" {
  count = var.status_page_iap && length(var.people) > 0 ? 1 : 0

  cloud_run_service_name = google_cloud_run_v2_service.page[0].name
  project                = var.project_id
  location               = var.region
  role                   = "roles/iap.httpsResourceAccessor"
  members                = var.people
}

# The page behind Identity-Aware Proxy: a second Cloud Run service with the image of the function `console`. In front of the
# function itself, the proxy would refuse the identity tokens of `gcloud run services proxy`.

locals {
  page = "${var.prefix}-page"
}

# The service that Cloud Run functions create for `console` names its image, and the base image, which Google keeps up to date. It
# is read after every change of a function, so the page gets the new image in the same apply.
data "google_cloud_run_v2_service" "console" {
  count = var.status_page_iap ? 1 : 0

  name     = google_cloudfunctions2_function.this["console"].name
  project  = var.project_id
  location = var.region

  depends_on = [google_cloudfunctions2_function.this]
}

resource "google_cloud_run_v2_service" "page" {
  count = var.status_page_iap ? 1 : 0

  name        = local.page
  project     = var.project_id
  location    = var.region
  description = "hf-endpoint-lifecycle: the page for browsers"
  labels      = local.labels

  ingress              = local.page_ingress[var.ingress]
  iap_enabled          = true
  invoker_iam_disabled = false
  deletion_protection  = false

  template {
    service_account                  = google_service_account.runtime.email
    timeout                          = "${local.functions["console"].timeout}s"
    max_instance_request_concurrency = local.functions["console"].concurrency
    labels                           = local.labels

    scaling {
      min_instance_count = 0
      max_instance_count = local.functions["console"].instances
    }

    containers {
      image          = data.google_cloud_run_v2_service.console[0].template[0].containers[0].image
      base_image_uri = data.google_cloud_run_v2_service.console[0].template[0].containers[0].base_image_uri

      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = local.page_environment

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "volume_mounts" {
        for_each = var.mount_token ? [local.token_folder] : []

        content {
          name       = "token"
          mount_path = volume_mounts.value
        }
      }
    }

    dynamic "volumes" {
      for_each = var.mount_token ? [var.token_version] : []

      content {
        name = "token"

        secret {
          secret = google_secret_manager_secret.token.secret_id

          items {
            version = volumes.value
            path    = local.token_file
          }
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version]
  }
}

locals {
  page_environment = merge(local.function_environment, {
    FUNCTION_TARGET = "console"
    THREADS         = local.functions["console"].concurrency
    # The audience of the proxy's signed assertions (docs.cloud.google.com/iap/docs/signed-headers-howto).
    IAP_AUDIENCE = "/projects/${data.google_project.this.number}/locations/${var.region}/services/${local.page}"
  })

  # Cloud Run's words for what Cloud Run functions call ALLOW_...
  page_ingress = {
    ALLOW_ALL               = "INGRESS_TRAFFIC_ALL"
    ALLOW_INTERNAL_ONLY     = "INGRESS_TRAFFIC_INTERNAL_ONLY"
    ALLOW_INTERNAL_AND_GCLB = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  }
}

# Only the proxy may call the service, and the proxy only admits `people`.

resource "google_cloud_run_v2_service_iam_binding" "page" {
  count = var.status_page_iap ? 1 : 0

  name     = google_cloud_run_v2_service.page[0].name
  project  = var.project_id
  location = var.region
  role     = "roles/run.invoker"
  members  = [local.iap_agent]

  lifecycle {
    replace_triggered_by = [google_cloud_run_v2_service.page[0].id]
  }
}

resource "google_iap_web_cloud_run_service_iam_binding" "page" {
  count = var.status_page_iap && length(var.people) > 0 ? 1 : 0

  cloud_run_service_name = google_cloud_run_v2_service.page[0].name
  project                = var.project_id
  location               = var.region
  role                   = "roles/iap.httpsResourceAccessor"
  members                = var.people

  lifecycle {
    replace_triggered_by = [google_cloud_run_v2_service.page[0].id]
  }
}

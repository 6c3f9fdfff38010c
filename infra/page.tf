# The status page behind Identity-Aware Proxy: the same code as a Cloud Run service of its own, because a function cannot
# be put behind it, and because the command line must still reach `status` with a plain identity token.

resource "google_cloud_run_v2_service" "page" {
  count = var.status_page_iap ? 1 : 0

  name        = "${var.prefix}-page"
  project     = var.project_id
  location    = var.region
  description = "hf-endpoint-lifecycle: the status page for browsers"
  labels      = local.labels

  ingress             = "INGRESS_TRAFFIC_ALL"
  iap_enabled         = true
  deletion_protection = false

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
      # A stand-in until the image of the function `status` is put here (docs/deployment.md).
      image = "us-docker.pkg.dev/cloudrun/container/hello"

      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(
          google_cloudfunctions2_function.this["status"].service_config[0].environment_variables,
          { FUNCTION_TARGET = "status" },
        )

        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].containers[0].image]
  }
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

resource "google_iap_web_cloud_run_service_iam_member" "page" {
  for_each = var.status_page_iap ? toset(var.people) : []

  cloud_run_service_name = google_cloud_run_v2_service.page[0].name
  project                = var.project_id
  location               = var.region
  role                   = "roles/iap.httpsResourceAccessor"
  member                 = each.key
}

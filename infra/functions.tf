resource "google_cloudfunctions2_function" "this" {
  #checkov:skip=CKV_GCP_124:People and Cloud Scheduler come from outside the network, IAM lets in those alone; platform_event takes internal requests only
  for_each = local.functions

  name        = each.value.resource
  project     = var.project_id
  location    = var.region
  description = "hf-endpoint-lifecycle: ${each.key}"
  labels      = local.labels

  build_config {
    runtime           = var.python_runtime
    entry_point       = each.key
    service_account   = google_service_account.build.name
    docker_repository = google_artifact_registry_repository.images.id

    environment_variables = {
      GOOGLE_FUNCTION_SOURCE = "functions/main.py"
      # Python's byte code then identifies its source by a hash. Identified by time, it would be out of date in the image, where all
      # files are dated 1 January 1980, and each cold start would compile the code again.
      SOURCE_DATE_EPOCH = "315532801"
    }

    source {
      storage_source {
        bucket = google_storage_bucket.source.name
        object = google_storage_bucket_object.source.name
      }
    }
  }

  service_config {
    service_account_email = google_service_account.runtime.email
    timeout_seconds       = each.value.timeout
    # More than one call at once needs a whole CPU.
    available_cpu                    = "1"
    available_memory                 = var.memory
    max_instance_request_concurrency = each.value.concurrency
    min_instance_count               = 0
    max_instance_count               = each.value.instances
    all_traffic_on_latest_revision   = true
    # Pub/Sub and Cloud Scheduler of this project count as internal; nobody else may reach platform_event.
    ingress_settings = each.key == "platform_event" ? "ALLOW_INTERNAL_ONLY" : var.ingress

    # functions-framework: a thread for each concurrent call.
    environment_variables = merge(local.function_environment, { THREADS = each.value.concurrency })

    dynamic "secret_volumes" {
      for_each = var.mount_token ? [var.token_version] : []

      content {
        mount_path = local.token_folder
        project_id = data.google_project.this.number
        secret     = google_secret_manager_secret.token.secret_id

        versions {
          version = secret_volumes.value
          path    = local.token_file
        }
      }
    }
  }

  depends_on = [
    time_sleep.build_rights,
    google_secret_manager_secret_iam_binding.token,
    google_project_iam_member.runtime_jobs,
    google_service_account_iam_binding.act_as_invoker,
  ]
}

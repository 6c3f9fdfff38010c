data "google_project" "this" {
  project_id = var.project_id
}

locals {
  services = concat(
    [
      "artifactregistry.googleapis.com",
      "cloudbuild.googleapis.com",
      "cloudfunctions.googleapis.com",
      "cloudresourcemanager.googleapis.com",
      "cloudscheduler.googleapis.com",
      "iam.googleapis.com",
      "logging.googleapis.com",
      "monitoring.googleapis.com",
      "pubsub.googleapis.com",
      "run.googleapis.com",
      "secretmanager.googleapis.com",
      "storage.googleapis.com",
    ],
    var.status_page_iap ? ["iap.googleapis.com"] : [],
  )
}

resource "google_project_service" "this" {
  for_each = toset(local.services)

  project = var.project_id
  service = each.key

  # Others in the project may use the service, too.
  disable_on_destroy = false
}

# A service that was just enabled still refuses requests for a minute or so.
resource "time_sleep" "services" {
  create_duration = "${var.wait_for_rights}s"
  triggers        = { for service in local.services : service => google_project_service.this[service].id }
}

locals {
  labels = merge(var.labels, { app = "hf-endpoint-lifecycle", environment = var.prefix })

  # The limits of each function: seconds for a call (docs/design.md, "Time limits"), calls at once, instances.
  functions = {
    for name, own in {
      pause          = {}
      resume         = {}
      warm           = { timeout = 540 }
      reconcile      = { timeout = 540 }
      status         = {}
      console        = {}
      platform_event = { concurrency = 1, instances = 1 }
      } : name => merge({
        resource = "${var.prefix}-${replace(name, "_", "-")}"
        timeout  = 60
        # A call mostly waits for Hugging Face, so eight share one CPU well.
        concurrency = 8
        instances   = var.max_instances
    }, own)
  }

  # Cloud Run's deterministic URL. It is known before the function exists, so functions, jobs and the subscription can use
  # it without a dependency cycle. Cloud Run accepts it as audience.
  functions_url = "https://${var.prefix}-{name}-${data.google_project.this.number}.${var.region}.run.app"
  function_urls = {
    for name, function in local.functions : name => replace(local.functions_url, "{name}", replace(name, "_", "-"))
  }

  # Cloud Scheduler is in fewer regions than Cloud Run; a job calls a function in any region.
  scheduler_region = coalesce(var.scheduler_region, var.region)
  scheduler_parent = "projects/${var.project_id}/locations/${local.scheduler_region}"

  # The functions' environment. Google sets LOG_EXECUTION_ID to true, which makes functions-framework rewrite each log line.
  function_environment = merge(
    {
      SCHEDULER_PARENT        = local.scheduler_parent
      LOGGING_PARENT          = local.logging_parent
      MONITORING_PARENT       = local.monitoring_parent
      JOB_PREFIX              = var.prefix
      FUNCTIONS_URL           = local.functions_url
      INVOKER_SERVICE_ACCOUNT = google_service_account.invoker.email
      LOG_EXECUTION_ID        = "false"
    },
    var.mount_token ? {
      HF_TOKEN_FILE = "${local.token_folder}/${local.token_file}"
      } : {
      HF_TOKEN_SECRET = "${google_secret_manager_secret.token.id}/versions/${var.token_version}"
    },
  )

  # The interval of reconcile runs in minutes. The code's default is 10m.
  settings          = yamldecode(file("${path.module}/../${var.settings_file}"))
  minutes           = { h = 60, m = 1, s = 1 / 60 }
  reconcile_minutes = sum([for part in regexall("([0-9]+)([hms])", try(local.settings.reconcile_every, "10m")) : part[0] * local.minutes[part[1]]])

  # Service agents: Google's own accounts in this project. They are created before the first apply (docs/deployment.md).
  pubsub_agent    = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-pubsub.iam.gserviceaccount.com"
  iap_agent       = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-iap.iam.gserviceaccount.com"
  secret_agent    = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-secretmanager.iam.gserviceaccount.com"
  storage_agent   = "serviceAccount:service-${data.google_project.this.number}@gs-project-accounts.iam.gserviceaccount.com"
  artifacts_agent = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-artifactregistry.iam.gserviceaccount.com"
}

# Service accounts. Each has only the rights that it needs, and none has a key.

resource "google_service_account" "runtime" {
  account_id   = "${var.prefix}-runtime"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what the functions run as"

  depends_on = [time_sleep.services]
}

resource "google_service_account" "invoker" {
  account_id   = "${var.prefix}-invoker"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what Cloud Scheduler's jobs call the functions as"

  depends_on = [time_sleep.services]
}

resource "google_service_account" "push" {
  account_id   = "${var.prefix}-push"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what Pub/Sub calls platform_event as"

  depends_on = [time_sleep.services]
}

resource "google_service_account" "build" {
  account_id   = "${var.prefix}-build"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what Cloud Build makes the functions' images as"

  depends_on = [time_sleep.services]
}

# Exactly what the functions and `lifecycle sync` do with jobs. Only fullView shows the jobs' bodies, in which the state is stored.
# Cloud Scheduler has no rights for single jobs, so this applies to all jobs of the project.
resource "google_project_iam_custom_role" "jobs" {
  role_id     = "${replace(var.prefix, "-", "_")}_jobs"
  project     = var.project_id
  title       = "hf-endpoint-lifecycle (${var.prefix}): Cloud Scheduler jobs"
  description = "What the functions and `lifecycle sync` do with jobs"
  permissions = [
    "cloudscheduler.jobs.create",
    "cloudscheduler.jobs.delete",
    "cloudscheduler.jobs.enable",
    "cloudscheduler.jobs.fullView",
    "cloudscheduler.jobs.get",
    "cloudscheduler.jobs.list",
    "cloudscheduler.jobs.pause",
    "cloudscheduler.jobs.run",
    "cloudscheduler.jobs.update",
  ]

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "runtime_jobs" {
  project = var.project_id
  role    = google_project_iam_custom_role.jobs.id
  member  = google_service_account.runtime.member
}

# A job carries the invoker's identity, so whoever writes jobs must be allowed to use it.
resource "google_service_account_iam_binding" "act_as_invoker" {
  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountUser"
  members            = concat([google_service_account.runtime.member], local.deploy_members)
}

# What a build of an image needs: read the source from where Cloud Run functions put it, write the image, write the log.

resource "google_project_iam_member" "build_source" {
  project = var.project_id
  role    = "roles/storage.objectViewer"
  member  = google_service_account.build.member

  condition {
    title       = "functions_source"
    description = "Only the bucket that Cloud Run functions copy sources to"
    expression  = "resource.name.startsWith(\"projects/_/buckets/gcf-v2-sources-${data.google_project.this.number}-${var.region}\")"
  }
}

resource "google_project_iam_member" "build_log" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

resource "google_artifact_registry_repository_iam_member" "build_images" {
  repository = google_artifact_registry_repository.images.name
  project    = var.project_id
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.build.member
}

# New rights take about a minute to be known everywhere in Google Cloud. A build that starts earlier fails, so the first apply
# waits; later ones do not.
resource "time_sleep" "build_rights" {
  create_duration = "${var.wait_for_rights}s"

  triggers = {
    source = google_project_iam_member.build_source.id
    log    = google_project_iam_member.build_log.id
    images = google_artifact_registry_repository_iam_member.build_images.id
  }
}

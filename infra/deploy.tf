# The account that cloudbuild.yaml runs as. It may deploy code, settings and alerts and make the jobs. It may read rights
# but change none: a change of rights is applied by a person who has that right.

locals {
  deploys = var.state_bucket == null ? [] : [var.state_bucket]

  deploy_members = google_service_account.deploy[*].member

  deploy_roles = [
    "roles/cloudfunctions.developer",
    "roles/iam.securityReviewer",
    "roles/logging.configWriter",
    "roles/logging.logWriter",
    "roles/monitoring.editor",
    "roles/pubsub.editor",
    "roles/run.developer",
    "roles/secretmanager.viewer",
    "roles/serviceusage.serviceUsageConsumer",
  ]
}

resource "google_service_account" "deploy" {
  count = length(local.deploys)

  account_id   = "${var.prefix}-deploy"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what cloudbuild.yaml runs as"

  depends_on = [google_project_service.this]
}

resource "google_project_iam_member" "deploy" {
  #checkov:skip=CKV_GCP_41:Not iam.serviceAccountUser or -TokenCreator; act-as is granted below, on four accounts
  #checkov:skip=CKV_GCP_49:No role here can make or use keys or change rights
  for_each = length(local.deploys) > 0 ? toset(local.deploy_roles) : []

  project = var.project_id
  role    = each.key
  member  = local.deploy_members[0]
}

resource "google_project_iam_member" "deploy_jobs" {
  count = length(local.deploys)

  project = var.project_id
  role    = google_project_iam_custom_role.jobs.id
  member  = local.deploy_members[0]
}

# Deploying a function takes act-as on what it runs and is built as, the subscription on what it pushes as.
resource "google_service_account_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    runtime = google_service_account.runtime.name
    build   = google_service_account.build.name
    push    = google_service_account.push.name
  } : {}

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = local.deploy_members[0]
}

resource "google_storage_bucket_iam_member" "deploy_source" {
  count = length(local.deploys)

  bucket = google_storage_bucket.source.name
  role   = "roles/storage.admin"
  member = local.deploy_members[0]
}

resource "google_storage_bucket_iam_member" "deploy_state" {
  count = length(local.deploys)

  bucket = local.deploys[0]
  role   = "roles/storage.objectAdmin"
  member = local.deploy_members[0]
}

resource "google_artifact_registry_repository_iam_member" "deploy_images" {
  count = length(local.deploys)

  repository = google_artifact_registry_repository.images.name
  project    = var.project_id
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = local.deploy_members[0]
}

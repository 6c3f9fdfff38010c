# The account that cloudbuild.yaml runs as. It deploys code, settings and alerts, and syncs the jobs. It can read rights but not
# change them. A person applies changes of rights, and changes that create or remove what others rely on (topics, the secret,
# accounts, functions). The account deploys code that runs as the runtime account, so whoever controls it can let that code read
# the token (docs/deployment.md, "Who can reach the token").

locals {
  deploys = var.state_bucket == null ? [] : [var.state_bucket]

  deploy_members = google_service_account.deploy[*].member

  # Exactly what a plan reads and an apply changes; tests/terraform compares it with the resources. Google adds permissions to its
  # own roles: roles/cloudfunctions.developer, for example, can now invoke and delete every Cloud Run service.
  deploy_permissions = concat(
    # A plan reads what is there, and who may do what with it.
    [
      "artifactregistry.repositories.get",
      "artifactregistry.repositories.getIamPolicy",
      "cloudfunctions.functions.get",
      "iam.roles.get",
      "iam.serviceAccounts.get",
      "iam.serviceAccounts.getIamPolicy",
      "logging.buckets.get",
      "logging.logMetrics.get",
      "logging.sinks.get",
      "logging.views.get",
      "logging.views.getIamPolicy",
      "monitoring.alertPolicies.get",
      "monitoring.dashboards.get",
      "monitoring.notificationChannels.get",
      "pubsub.subscriptions.get",
      "pubsub.subscriptions.getIamPolicy",
      "pubsub.topics.get",
      "pubsub.topics.getIamPolicy",
      "resourcemanager.projects.get",
      "resourcemanager.projects.getIamPolicy",
      "run.services.getIamPolicy",
      "secretmanager.secrets.get",
      "secretmanager.secrets.getIamPolicy",
      "serviceusage.services.get",
      "serviceusage.services.list",
      "storage.buckets.get",
      "storage.buckets.getIamPolicy",
    ],
    # An apply updates the functions, with new code and settings,
    [
      "cloudfunctions.functions.update",
      "cloudfunctions.operations.get",
    ],
    # and what counts, shows and alerts.
    [
      "logging.logMetrics.create",
      "logging.logMetrics.delete",
      "logging.logMetrics.update",
      "monitoring.alertPolicies.create",
      "monitoring.alertPolicies.delete",
      "monitoring.alertPolicies.update",
      "monitoring.dashboards.update",
      "monitoring.notificationChannels.create",
      "monitoring.notificationChannels.delete",
      "monitoring.notificationChannels.update",
    ],
    # Cloud Build writes its log.
    [
      "logging.logEntries.create",
    ],
    var.status_page_iap ? [
      "iap.webServices.getIamPolicy",
      "run.operations.get",
      "run.services.get",
      "run.services.update",
    ] : [],
  )
}

resource "google_service_account" "deploy" {
  count = length(local.deploys)

  account_id   = "${var.prefix}-deploy"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what cloudbuild.yaml runs as"

  depends_on = [time_sleep.services]
}

resource "google_project_iam_custom_role" "deploy" {
  count = length(local.deploys)

  role_id     = "${replace(var.prefix, "-", "_")}_deploy"
  project     = var.project_id
  title       = "hf-endpoint-lifecycle (${var.prefix}): deployments"
  description = "What cloudbuild.yaml reads and changes"
  permissions = local.deploy_permissions

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    deploy = google_project_iam_custom_role.deploy[0].id
    jobs   = google_project_iam_custom_role.jobs.id
  } : {}

  project = var.project_id
  role    = each.value
  member  = local.deploy_members[0]
}

# To update a function, one must be allowed to act as the accounts that it runs and is built as. So the account can only update
# those functions and services of the project that run as these accounts.
resource "google_service_account_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    runtime = google_service_account.runtime.name
    build   = google_service_account.build.name
  } : {}

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = local.deploy_members[0]
}

# Objects of the source's bucket and of the state's.
resource "google_storage_bucket_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    source = google_storage_bucket.source.name
    state  = local.deploys[0]
  } : {}

  bucket = each.value
  role   = "roles/storage.objectUser"
  member = local.deploy_members[0]
}

# Whoever deploys a Cloud Run service must be able to read its image.
resource "google_artifact_registry_repository_iam_member" "deploy_images" {
  count = var.status_page_iap ? length(local.deploys) : 0

  repository = google_artifact_registry_repository.images.name
  project    = var.project_id
  location   = var.region
  role       = "roles/artifactregistry.reader"
  member     = local.deploy_members[0]
}

# The key may be in another project, where this project's roles do not apply.
resource "google_kms_crypto_key_iam_member" "deploy" {
  count = var.kms_key == null ? 0 : length(local.deploys)

  crypto_key_id = var.kms_key
  role          = "roles/iam.securityReviewer"
  member        = google_service_account.deploy[0].member
}

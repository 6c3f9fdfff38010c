# The account that cloudbuild.yaml runs as. It may deploy code, settings and alerts and make the jobs. It may read rights
# but change none: a change of rights is applied by a person who has that right, and so is what makes or removes anything
# that others rely on (topics, the secret, accounts).

locals {
  deploys = var.state_bucket == null ? [] : [var.state_bucket]

  deploy_members = google_service_account.deploy[*].member

  deploy_roles = concat(
    [
      "roles/cloudfunctions.developer",
      "roles/iam.securityReviewer",
      "roles/logging.logWriter",
      "roles/monitoring.editor",
      "roles/serviceusage.serviceUsageConsumer",
    ],
    var.status_page_iap ? ["roles/run.sourceDeveloper"] : [],
  )
}

resource "google_service_account" "deploy" {
  count = length(local.deploys)

  account_id   = "${var.prefix}-deploy"
  project      = var.project_id
  display_name = "hf-endpoint-lifecycle (${var.prefix}): what cloudbuild.yaml runs as"

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? toset(local.deploy_roles) : []

  project = var.project_id
  role    = each.key
  member  = local.deploy_members[0]
}

# Log-based metrics without the sinks, buckets and exclusions that roles/logging.configWriter adds.
resource "google_project_iam_custom_role" "log_metrics" {
  count = length(local.deploys)

  role_id     = "${replace(var.prefix, "-", "_")}_log_metrics"
  project     = var.project_id
  title       = "hf-endpoint-lifecycle (${var.prefix}): log-based metrics"
  description = "What cloudbuild.yaml does with log-based metrics and reads of sinks"
  permissions = [
    "logging.logMetrics.create",
    "logging.logMetrics.delete",
    "logging.logMetrics.get",
    "logging.logMetrics.list",
    "logging.logMetrics.update",
    "logging.sinks.get",
  ]

  depends_on = [time_sleep.services]
}

resource "google_project_iam_member" "deploy_custom" {
  for_each = length(local.deploys) > 0 ? {
    jobs        = google_project_iam_custom_role.jobs.id
    log_metrics = google_project_iam_custom_role.log_metrics[0].id
  } : {}

  project = var.project_id
  role    = each.value
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

# Objects of the source's bucket and of the state's; of the buckets themselves it only reads what they are.
resource "google_storage_bucket_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    source_objects = { bucket = google_storage_bucket.source.name, role = "roles/storage.objectAdmin" }
    source_bucket  = { bucket = google_storage_bucket.source.name, role = "roles/storage.legacyBucketReader" }
    state_objects  = { bucket = local.deploys[0], role = "roles/storage.objectAdmin" }
  } : {}

  bucket = each.value.bucket
  role   = each.value.role
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

# It sees that the secret is there, never what is in it.
resource "google_secret_manager_secret_iam_member" "deploy" {
  count = length(local.deploys)

  secret_id = google_secret_manager_secret.token.secret_id
  project   = var.project_id
  role      = "roles/secretmanager.viewer"
  member    = local.deploy_members[0]
}

# Our own topics and subscriptions alone; those of others in the project are none of its business.

resource "google_pubsub_topic_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    events       = google_pubsub_topic.events.name
    dead_letters = google_pubsub_topic.dead_letters.name
  } : {}

  topic   = each.value
  project = var.project_id
  role    = "roles/pubsub.viewer"
  member  = local.deploy_members[0]
}

resource "google_pubsub_subscription_iam_member" "deploy" {
  for_each = length(local.deploys) > 0 ? {
    events       = google_pubsub_subscription.events.name
    dead_letters = google_pubsub_subscription.dead_letters.name
  } : {}

  subscription = each.value
  project      = var.project_id
  role         = "roles/pubsub.editor"
  member       = local.deploy_members[0]
}

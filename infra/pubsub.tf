# Platforms publish here when they start and stop. Whoever may publish can pause the endpoints that follow a platform.
resource "google_pubsub_topic" "events" {
  #checkov:skip=CKV_GCP_83:The messages say that a platform started or stopped, and nothing else
  name    = "${var.prefix}-platform-events"
  project = var.project_id
  labels  = local.labels

  kms_key_name = var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.services, time_sleep.key]
}

resource "google_pubsub_topic_iam_binding" "publishers" {
  count = length(local.publishers) > 0 ? 1 : 0

  topic   = google_pubsub_topic.events.name
  project = var.project_id
  role    = "roles/pubsub.publisher"
  members = local.publishers

  lifecycle {
    replace_triggered_by = [google_pubsub_topic.events.id]
  }
}

locals {
  publishers = concat(var.publishers, [for wait in time_sleep.vms_writer : wait.triggers["writer"]])
}

# A subscription of our own: the one of an Eventarc trigger can have no ordering, no dead letters and no retry policy.
resource "google_pubsub_subscription" "events" {
  name    = "${var.prefix}-platform-events"
  project = var.project_id
  topic   = google_pubsub_topic.events.id
  labels  = local.labels

  enable_message_ordering    = true
  ack_deadline_seconds       = 90 # platform_event's 60 s, and a margin
  message_retention_duration = "604800s"

  push_config {
    push_endpoint = local.function_urls["platform_event"]

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = local.function_urls["platform_event"]
    }
  }

  # It never expires, even after a month without messages.
  expiration_policy {
    ttl = ""
  }

  # About nine minutes in all. A malformed message holds back the next one of its ordering key for that long.
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "120s"
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters.id
    max_delivery_attempts = 8
  }

  depends_on = [google_cloud_run_v2_service_iam_binding.invoker, google_pubsub_topic_iam_member.dead_letters]
}

resource "google_pubsub_topic" "dead_letters" {
  #checkov:skip=CKV_GCP_83:As platform-events
  name    = "${var.prefix}-dead-letters"
  project = var.project_id
  labels  = local.labels

  kms_key_name = var.kms_key

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [time_sleep.services, time_sleep.key]
}

# Without a subscription, dead letters are lost.
resource "google_pubsub_subscription" "dead_letters" {
  name    = "${var.prefix}-dead-letters"
  project = var.project_id
  topic   = google_pubsub_topic.dead_letters.id
  labels  = local.labels

  ack_deadline_seconds       = 60
  message_retention_duration = "2678400s" # 31 days, the most

  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub's service agent moves dead letters: it publishes them to the dead-letter topic, and acknowledges them here.

resource "google_pubsub_topic_iam_member" "dead_letters" {
  topic   = google_pubsub_topic.dead_letters.name
  project = var.project_id
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent

  lifecycle {
    replace_triggered_by = [google_pubsub_topic.dead_letters.id]
  }
}

resource "google_pubsub_subscription_iam_member" "events" {
  subscription = google_pubsub_subscription.events.name
  project      = var.project_id
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent

  lifecycle {
    replace_triggered_by = [google_pubsub_subscription.events.id]
  }
}

# With `kms_key`, a key of the customer's own encrypts what is stored: the token, the messages, the source and the images.
# Each service uses the key by an account of Google's own in this project; those are made before the first apply
# (docs/deployment.md), but for Cloud Storage's, which is made here when it is looked up.

data "google_storage_project_service_account" "this" {
  count = length(var.kms_key[*])

  project = var.project_id

  depends_on = [time_sleep.services]
}

resource "google_kms_crypto_key_iam_member" "users" {
  for_each = var.kms_key == null ? {} : {
    secret = local.secret_agent
    topics = local.pubsub_agent
    bucket = data.google_storage_project_service_account.this[0].member
    images = local.artifacts_agent
  }

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value
}

resource "time_sleep" "key" {
  count = length(var.kms_key[*])

  create_duration = "${var.wait_for_rights}s"
  triggers        = { for use, grant in google_kms_crypto_key_iam_member.users : use => grant.id }
}

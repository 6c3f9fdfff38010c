# With `kms_key`, the customer's own key encrypts the stored data: the token, the messages, the source and the images. Each service
# uses the key through its service agent in this project. The agents are created before the first apply (docs/companies.md). There
# is no data source for them, because a data source that depends on a resource would replace the grants.

resource "google_kms_crypto_key_iam_member" "users" {
  for_each = var.kms_key == null ? {} : {
    secret = local.secret_agent
    topics = local.pubsub_agent
    bucket = local.storage_agent
    images = local.artifacts_agent
  }

  crypto_key_id = var.kms_key
  role          = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
  member        = each.value

  depends_on = [time_sleep.services]
}

resource "time_sleep" "key" {
  count = length(var.kms_key[*])

  create_duration = "${var.wait_for_rights}s"
  triggers        = { for use, grant in google_kms_crypto_key_iam_member.users : use => grant.id }
}

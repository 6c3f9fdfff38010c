output "environment" {
  description = "What `lifecycle sync` and people's command line need, as environment variables."
  value = {
    FUNCTIONS_URL           = local.functions_url
    INVOKER_SERVICE_ACCOUNT = google_service_account.invoker.email
    JOB_PREFIX              = var.prefix
    SCHEDULER_PARENT        = local.scheduler_parent
  }
}

output "function_urls" {
  description = "Where each function answers; also the audience of the tokens for it."
  value       = local.function_urls
}

output "secret" {
  description = "The secret that the Hugging Face token belongs into: gcloud secrets versions add SECRET --data-file=-"
  value       = google_secret_manager_secret.token.secret_id
}

output "topic" {
  description = "Where platforms say that they started or stopped."
  value       = google_pubsub_topic.events.id
}

output "deploy_service_account" {
  description = "What cloudbuild.yaml runs as; null without `state_bucket`."
  value       = one(google_service_account.deploy[*].email)
}

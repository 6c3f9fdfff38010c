output "environment" {
  description = "The environment variables for `lifecycle sync` and people's command line."
  value       = local.environment
}

output "exports" {
  description = "The same, with the project and the regions, for a shell in the repository: eval \"$(make -s shell)\""
  value       = join("", [for name, value in merge(local.environment, local.places) : "export ${name}='${value}'\n"])
}

output "function_urls" {
  description = "The URL of each function, which is also the audience of the tokens for it."
  value       = local.function_urls
}

output "status_page" {
  description = "How people reach the page: its URL behind Identity-Aware Proxy, or a command that serves it on their machine."
  value = try(
    google_cloud_run_v2_service.page[0].uri,
    "gcloud run services proxy ${local.functions["console"].resource} --project ${var.project_id} --region ${var.region}",
  )
}

output "secret" {
  description = "The secret for the Hugging Face token: gcloud secrets versions add SECRET --data-file=-"
  value       = google_secret_manager_secret.token.secret_id
}

output "topic" {
  description = "The topic for platform messages: a platform publishes when it starts and when it stops."
  value       = google_pubsub_topic.events.id
}

output "deploy_service_account" {
  description = "The account that cloudbuild.yaml runs as; null without `state_bucket`."
  value       = one(google_service_account.deploy[*].email)
}

locals {
  places = {
    PROJECT          = var.project_id
    REGION           = var.region
    SCHEDULER_REGION = local.scheduler_region
  }
  environment = {
    FUNCTIONS_URL           = local.functions_url
    INVOKER_SERVICE_ACCOUNT = google_service_account.invoker.email
    JOB_PREFIX              = var.prefix
    LIFECYCLE_CONFIG        = var.settings_file
    LOGGING_PARENT          = local.logging_parent
    MONITORING_PARENT       = local.monitoring_parent
    SCHEDULER_PARENT        = local.scheduler_parent
  }
}

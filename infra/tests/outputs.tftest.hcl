# What Terraform hands to `lifecycle sync`; tests/terraform reads the state of this run.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  override_resource {
    target = google_service_account.invoker
    values = { email = "lifecycle-invoker@acme-ml-prod.iam.gserviceaccount.com" }
  }

  override_resource {
    target = google_secret_manager_secret.token
    values = { id = "projects/acme-ml-prod/secrets/lifecycle-hf-token" }
  }
}

variables {
  project_id      = "acme-ml-prod"
  platform_vms    = { main = "europe-west1-b" }
  alert_emails    = ["ml-team@example.com"]
  wait_for_rights = 0
}

run "outputs_say_where_the_functions_are" {
  assert {
    condition = output.function_urls == {
      for name in ["pause", "resume", "warm", "reconcile", "status", "console", "platform_event"] :
      name => "https://lifecycle-${replace(name, "_", "-")}-123456789012.europe-west1.run.app"
    }
    error_message = "Each function has Cloud Run's own URL for it."
  }

  assert {
    condition     = alltrue([for name, url in output.function_urls : google_cloudfunctions2_function.this[name].name == "lifecycle-${replace(name, "_", "-")}"])
    error_message = "The URLs are those of the functions' names."
  }

  assert {
    condition     = alltrue([for name, value in merge(output.environment, { REGION = "europe-west1", SCHEDULER_REGION = "europe-west1", PROJECT = "acme-ml-prod" }) : strcontains(output.exports, "export ${name}='${value}'\n")])
    error_message = "A shell reads the same, and where things are."
  }
}

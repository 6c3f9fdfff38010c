# What a security review asks, as facts. Each run fails when one of them is broken; tests/terraform breaks them one by one.
# Nothing is made at Google: its provider is played.

mock_provider "google" {
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  mock_data "google_cloud_run_v2_service" {
    defaults = { template = [{ containers = [{ image = "console@sha256:1", base_image_uri = "python314" }] }] }
  }
}

variables {
  project_id      = "acme-ml-prod"
  people          = ["group:ml-team@example.com"]
  publishers      = ["serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com"]
  state_bucket    = "acme-terraform"
  status_page_iap = true
  platform_vms    = { main = "europe-west1-b" }
  wait_for_rights = 0
}

run "only_those_who_should_may_call" {
  assert {
    condition = alltrue([
      for name in ["pause", "resume", "warm", "reconcile"] :
      google_cloud_run_v2_service_iam_binding.invoker[name].members == toset([google_service_account.invoker.member, "group:ml-team@example.com"])
    ])
    error_message = "pause, resume, warm and reconcile are for the jobs' account and people alone."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_binding.invoker["platform_event"].members == toset([google_service_account.push.member])
    error_message = "platform_event is for the push account alone."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_binding.invoker["status"].members == toset(["group:ml-team@example.com"])
    error_message = "status is for people alone."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_binding.invoker["console"].members == toset(["group:ml-team@example.com"])
    error_message = "console is for people alone."
  }

  assert {
    condition     = alltrue([for name, binding in google_cloud_run_v2_service_iam_binding.invoker : binding.role == "roles/run.invoker" && binding.name == google_cloudfunctions2_function.this[name].name])
    error_message = "Callers may invoke their function, and nothing else."
  }

  assert {
    condition = (
      google_cloud_run_v2_service_iam_binding.console_viewer[0].members == toset(["group:ml-team@example.com"]) &&
      google_cloud_run_v2_service_iam_binding.console_viewer[0].role == "roles/run.viewer" &&
      google_cloud_run_v2_service_iam_binding.console_viewer[0].name == google_cloudfunctions2_function.this["console"].name
    )
    error_message = "People may look up the page's service, to reach it."
  }

  assert {
    condition     = { for name, function in google_cloudfunctions2_function.this : name => function.service_config[0].ingress_settings if function.service_config[0].ingress_settings != "ALLOW_ALL" } == { platform_event = "ALLOW_INTERNAL_ONLY" }
    error_message = "platform_event takes requests from inside Google Cloud alone."
  }
}

run "the_page_is_behind_the_proxy" {
  assert {
    condition     = google_cloud_run_v2_service.page[0].iap_enabled && !google_cloud_run_v2_service.page[0].invoker_iam_disabled
    error_message = "Identity-Aware Proxy and IAM guard the page."
  }

  assert {
    condition     = google_cloud_run_v2_service_iam_binding.page[0].members == toset(["serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"])
    error_message = "The proxy alone calls the page's service."
  }

  assert {
    condition     = google_iap_web_cloud_run_service_iam_binding.page[0].members == toset(["group:ml-team@example.com"])
    error_message = "People alone pass the proxy."
  }

  assert {
    condition     = google_cloud_run_v2_service.page[0].template[0].service_account == google_service_account.runtime.email
    error_message = "The page runs as the functions do."
  }

  assert {
    condition = (
      length(google_cloud_run_v2_service.page[0].build_config) == 0 &&
      google_cloud_run_v2_service.page[0].template[0].containers[0].image == "console@sha256:1" &&
      google_cloud_run_v2_service.page[0].template[0].containers[0].base_image_uri == "python314" &&
      data.google_cloud_run_v2_service.console[0].name == google_cloudfunctions2_function.this["console"].name
    )
    error_message = "The page is the function's image on its base image; a build of its own would never start."
  }

  assert {
    condition = { for env in google_cloud_run_v2_service.page[0].template[0].containers[0].env : env.name => env.value } == merge(
      google_cloudfunctions2_function.this["console"].service_config[0].environment_variables,
      { FUNCTION_TARGET = "console", IAP_AUDIENCE = "/projects/123456789012/locations/europe-west1/services/lifecycle-page" },
    )
    error_message = "The page has the same environment as the function, and knows whom the proxy's assertions are for."
  }
}

run "companies_choose_who_reaches_the_functions_over_the_network" {
  variables {
    ingress = "ALLOW_INTERNAL_AND_GCLB"
  }

  assert {
    condition     = { for name, function in google_cloudfunctions2_function.this : name => function.service_config[0].ingress_settings if name != "platform_event" } == { for name in ["console", "pause", "reconcile", "resume", "status", "warm"] : name => "ALLOW_INTERNAL_AND_GCLB" }
    error_message = "Functions are reached from where `ingress` says."
  }

  assert {
    condition     = google_cloudfunctions2_function.this["platform_event"].service_config[0].ingress_settings == "ALLOW_INTERNAL_ONLY" && google_cloud_run_v2_service.page[0].ingress == "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
    error_message = "The page is reached from there, too, and platform_event from inside alone."
  }
}

run "companies_bring_their_own_key" {
  variables {
    kms_key = "projects/acme-keys/locations/europe-west1/keyRings/ml/cryptoKeys/lifecycle"
  }

  assert {
    condition = alltrue([
      google_secret_manager_secret.token.replication[0].user_managed[0].replicas[0].customer_managed_encryption[0].kms_key_name == var.kms_key,
      google_pubsub_topic.events.kms_key_name == var.kms_key, google_pubsub_topic.dead_letters.kms_key_name == var.kms_key,
      google_storage_bucket.source.encryption[0].default_kms_key_name == var.kms_key,
      google_artifact_registry_repository.images.kms_key_name == var.kms_key,
    ])
    error_message = "The key encrypts the secret, the topics, the bucket and the images."
  }

  assert {
    condition = { for use, grant in google_kms_crypto_key_iam_member.users : use => grant.member } == {
      bucket = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
      secret = "serviceAccount:service-123456789012@gcp-sa-secretmanager.iam.gserviceaccount.com"
      topics = "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
      images = "serviceAccount:service-123456789012@gcp-sa-artifactregistry.iam.gserviceaccount.com"
    }
    error_message = "Each service's own account uses the key."
  }

  assert {
    condition     = alltrue([for grant in google_kms_crypto_key_iam_member.users : grant.role == "roles/cloudkms.cryptoKeyEncrypterDecrypter"])
    error_message = "They encrypt and decrypt with it, and nothing else."
  }
}

run "a_key_of_another_region_is_refused" {
  command = plan

  variables {
    kms_key = "projects/acme-keys/locations/us-east1/keyRings/ml/cryptoKeys/lifecycle"
  }

  expect_failures = [var.kms_key]
}

run "the_token_is_mounted_where_that_is_asked_for" {
  variables {
    mount_token = true
  }

  assert {
    condition = alltrue([
      for function in google_cloudfunctions2_function.this :
      function.service_config[0].environment_variables["HF_TOKEN_FILE"] == "${function.service_config[0].secret_volumes[0].mount_path}/${function.service_config[0].secret_volumes[0].versions[0].path}" &&
      function.service_config[0].secret_volumes[0].secret == google_secret_manager_secret.token.secret_id &&
      function.service_config[0].secret_volumes[0].versions[0].version == "latest" &&
      !contains(keys(function.service_config[0].environment_variables), "HF_TOKEN_SECRET")
    ])
    error_message = "Functions read the mounted version, and do not ask Secret Manager."
  }

  assert {
    condition = (
      google_cloud_run_v2_service.page[0].template[0].volumes[0].secret[0].secret == google_secret_manager_secret.token.secret_id &&
      google_cloud_run_v2_service.page[0].template[0].volumes[0].secret[0].items[0].version == "latest" &&
      google_cloud_run_v2_service.page[0].template[0].containers[0].volume_mounts[0].name == google_cloud_run_v2_service.page[0].template[0].volumes[0].name &&
      contains([for env in google_cloud_run_v2_service.page[0].template[0].containers[0].env : env.value if env.name == "HF_TOKEN_FILE"], "${google_cloud_run_v2_service.page[0].template[0].containers[0].volume_mounts[0].mount_path}/${google_cloud_run_v2_service.page[0].template[0].volumes[0].secret[0].items[0].path}")
    )
    error_message = "The page reads the same version."
  }
}

run "jobs_may_be_in_another_region_than_the_functions" {
  variables {
    region           = "africa-south1"
    scheduler_region = "europe-west1"
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.location == "africa-south1" && function.service_config[0].environment_variables["SCHEDULER_PARENT"] == "projects/acme-ml-prod/locations/europe-west1"])
    error_message = "Functions keep their jobs where Cloud Scheduler is."
  }

  assert {
    condition     = output.environment["SCHEDULER_PARENT"] == "projects/acme-ml-prod/locations/europe-west1"
    error_message = "`lifecycle sync` makes the jobs there."
  }
}

run "a_region_without_cloud_scheduler_is_warned_of" {
  command = plan

  variables {
    region = "africa-south1"
  }

  expect_failures = [check.scheduler_region]
}

run "what_cannot_be_made_again_is_not_destroyed" {
  assert {
    condition     = google_secret_manager_secret.token.deletion_protection
    error_message = "The secret is not replaced or destroyed by accident."
  }

  assert {
    condition     = flatten([for rule in google_storage_bucket.source.lifecycle_rule : [for when in rule.condition : when.age if when.matches_prefix == tolist(["builds/"])]]) == [7]
    error_message = "Uploads for builds go after a week."
  }
}

run "each_account_has_the_least" {
  assert {
    condition     = google_secret_manager_secret_iam_binding.token.members == toset([google_service_account.runtime.member]) && google_secret_manager_secret_iam_binding.token.role == "roles/secretmanager.secretAccessor"
    error_message = "The functions alone read the token."
  }

  assert {
    condition = google_project_iam_custom_role.jobs.permissions == toset([
      "cloudscheduler.jobs.create", "cloudscheduler.jobs.delete", "cloudscheduler.jobs.enable",
      "cloudscheduler.jobs.fullView", "cloudscheduler.jobs.get", "cloudscheduler.jobs.list",
      "cloudscheduler.jobs.pause", "cloudscheduler.jobs.run", "cloudscheduler.jobs.update",
    ])
    error_message = "The role for jobs has exactly the verbs that are used."
  }

  assert {
    condition     = google_project_iam_member.runtime_jobs.member == google_service_account.runtime.member && google_project_iam_member.runtime_jobs.role == google_project_iam_custom_role.jobs.id
    error_message = "Of the project, the functions' account has the role for jobs."
  }

  assert {
    condition = (
      google_service_account_iam_binding.act_as_invoker.service_account_id == google_service_account.invoker.name &&
      google_service_account_iam_binding.act_as_invoker.members == toset([google_service_account.runtime.member, google_service_account.deploy[0].member])
    )
    error_message = "Those who write jobs act as the jobs' account, and nobody else does."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].service_account_email == google_service_account.runtime.email && function.build_config[0].service_account == google_service_account.build.name])
    error_message = "No function runs or is built as the Compute default account."
  }

  assert {
    condition     = google_pubsub_topic_iam_binding.publishers[0].members == toset(["serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com", google_logging_project_sink.vms[0].writer_identity])
    error_message = "Only the named publishers, and the log's sink, may say that a platform stopped."
  }

  assert {
    condition     = strcontains(google_project_iam_member.build_source.condition[0].expression, "buckets/gcf-v2-sources-123456789012-europe-west1")
    error_message = "Builds read the copies of the source alone."
  }

  assert {
    condition     = google_storage_bucket.source.public_access_prevention == "enforced" && google_storage_bucket.source.uniform_bucket_level_access
    error_message = "The source's bucket cannot be made public."
  }
}

run "a_deployment_cannot_change_rights" {
  assert {
    condition = { for name, grant in google_project_iam_member.deploy : name => grant.role } == {
      deploy = google_project_iam_custom_role.deploy[0].id, jobs = google_project_iam_custom_role.jobs.id
    }
    error_message = "Of the project, the deploying account has its own role, and that for jobs."
  }

  assert {
    condition     = !anytrue([for permission in google_project_iam_custom_role.deploy[0].permissions : can(regex("setIamPolicy|invoke|access$|actAs|^iam.*(create|update|delete|sign|get.*Token)|^(cloudfunctions|run|storage|pubsub|secretmanager).*(create|delete)", permission))])
    error_message = "It changes no right, calls nothing, reads no secret, and removes nothing that others rely on."
  }

  assert {
    condition     = alltrue([for grant in google_storage_bucket_iam_member.deploy : grant.role == "roles/storage.objectUser"]) && toset([for grant in google_storage_bucket_iam_member.deploy : grant.bucket]) == toset(["acme-ml-prod-lifecycle-source", "acme-terraform"])
    error_message = "It writes objects of the source and of the state, and cannot change a bucket."
  }

  assert {
    condition     = toset(keys(google_service_account_iam_member.deploy)) == toset(["runtime", "build"])
    error_message = "It acts as what functions run and are built as."
  }
}

run "functions_have_their_limits" {
  assert {
    condition = { for name, function in google_cloudfunctions2_function.this : name => function.service_config[0].timeout_seconds } == {
      pause = 60, resume = 60, status = 60, console = 60, platform_event = 60, warm = 540, reconcile = 540
    }
    error_message = "The time limits are those of the design."
  }

  assert {
    condition = (
      google_cloudfunctions2_function.this["platform_event"].service_config[0].max_instance_count == 1 &&
      google_cloudfunctions2_function.this["platform_event"].service_config[0].max_instance_request_concurrency == 1
    )
    error_message = "platform_event is one instance that takes one message at a time."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].max_instance_count <= 3])
    error_message = "No function has instances without end."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.build_config[0].runtime == "python314"])
    error_message = "The runtime is the newest that is supported."
  }

  assert {
    condition     = alltrue([for name, function in google_cloudfunctions2_function.this : function.build_config[0].entry_point == name && function.build_config[0].environment_variables["GOOGLE_FUNCTION_SOURCE"] == "functions/main.py"])
    error_message = "Each is its own entry point of functions/main.py."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].environment_variables["HF_TOKEN_SECRET"] == "${google_secret_manager_secret.token.id}/versions/latest"])
    error_message = "The token comes from the secret, and is no variable."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].environment_variables["LOG_EXECUTION_ID"] == "false"])
    error_message = "functions-framework does not rewrite log lines."
  }
}

run "messages_are_ordered_kept_and_never_lost" {
  assert {
    condition     = google_pubsub_subscription.events.enable_message_ordering
    error_message = "Messages come in order."
  }

  assert {
    condition     = google_pubsub_subscription.events.ack_deadline_seconds == 90
    error_message = "A call has its time."
  }

  assert {
    condition     = google_pubsub_subscription.events.retry_policy[0].minimum_backoff == "10s" && google_pubsub_subscription.events.retry_policy[0].maximum_backoff == "120s"
    error_message = "What is not taken comes again with patience."
  }

  assert {
    condition     = google_pubsub_subscription.events.expiration_policy[0].ttl == "" && google_pubsub_subscription.dead_letters.expiration_policy[0].ttl == ""
    error_message = "The subscriptions never expire."
  }

  assert {
    condition     = google_pubsub_subscription.events.dead_letter_policy[0].dead_letter_topic == google_pubsub_topic.dead_letters.id && google_pubsub_subscription.dead_letters.topic == google_pubsub_topic.dead_letters.id
    error_message = "Dead letters go to a topic that has a subscription."
  }

  assert {
    condition     = google_pubsub_subscription.events.push_config[0].push_endpoint == "https://lifecycle-platform-event-123456789012.europe-west1.run.app"
    error_message = "Pub/Sub calls platform_event."
  }

  assert {
    condition     = google_pubsub_subscription.events.push_config[0].oidc_token[0].audience == output.function_urls["platform_event"]
    error_message = "The token's audience is platform_event's URL."
  }

  assert {
    condition     = google_pubsub_subscription.events.push_config[0].oidc_token[0].service_account_email == google_service_account.push.email
    error_message = "Pub/Sub calls as the push account."
  }

  assert {
    condition = (
      google_pubsub_topic_iam_member.dead_letters.role == "roles/pubsub.publisher" &&
      google_pubsub_topic_iam_member.dead_letters.topic == google_pubsub_topic.dead_letters.name &&
      google_pubsub_topic_iam_member.dead_letters.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    )
    error_message = "Pub/Sub's own agent publishes dead letters."
  }

  assert {
    condition = (
      google_pubsub_subscription_iam_member.events.role == "roles/pubsub.subscriber" &&
      google_pubsub_subscription_iam_member.events.subscription == google_pubsub_subscription.events.name &&
      google_pubsub_subscription_iam_member.events.member == "serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com"
    )
    error_message = "Pub/Sub's own agent takes them off our subscription."
  }
}

run "strangers_cannot_be_let_in" {
  command = plan

  variables {
    people     = ["allUsers"]
    publishers = ["allAuthenticatedUsers"]
  }

  expect_failures = [var.people, var.publishers]
}

run "another_environment_has_names_of_its_own" {
  variables {
    prefix = "staging"
  }

  assert {
    condition = alltrue([
      for name in concat(
        values(google_cloudfunctions2_function.this)[*].name,
        values(google_logging_metric.this)[*].name,
        [
          google_service_account.runtime.account_id, google_service_account.invoker.account_id, google_service_account.push.account_id,
          google_service_account.build.account_id, google_service_account.deploy[0].account_id, google_project_iam_custom_role.jobs.role_id,
          google_project_iam_custom_role.deploy[0].role_id, google_secret_manager_secret.token.secret_id, google_pubsub_topic.events.name,
          google_pubsub_topic.dead_letters.name, google_pubsub_subscription.events.name, google_pubsub_subscription.dead_letters.name,
          google_logging_project_sink.vms[0].name, google_artifact_registry_repository.images.repository_id, google_cloud_run_v2_service.page[0].name,
          trimprefix(google_storage_bucket.source.name, "acme-ml-prod-"), output.environment["JOB_PREFIX"],
        ],
      ) : startswith(name, "staging")
    ])
    error_message = "Two environments share no name in one project."
  }
}

# What a security review asks, as facts of the plan. Each run fails when one of them is broken.

variables {
  project_id   = "acme-ml-prod"
  people       = ["group:ml-team@example.com"]
  publishers   = ["serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com"]
  state_bucket = "acme-terraform"
}

override_resource {
  target = terraform_data.build_rights # it waits for a minute and a half
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
    condition = alltrue([
      for binding in google_cloud_run_v2_service_iam_binding.invoker : length(setintersection(binding.members, ["allUsers", "allAuthenticatedUsers"])) == 0
    ])
    error_message = "Nobody is let in without being known."
  }
}

run "each_account_has_the_least" {
  assert {
    condition     = google_secret_manager_secret_iam_binding.token.members == toset([google_service_account.runtime.member])
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
    condition     = google_service_account_iam_binding.act_as_invoker.service_account_id == google_service_account.invoker.name
    error_message = "Act-as is granted on the jobs' account alone."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.service_config[0].service_account_email == google_service_account.runtime.email])
    error_message = "No function runs as the Compute default account."
  }

  assert {
    condition     = google_pubsub_topic_iam_binding.publishers[0].members == toset(["serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com"])
    error_message = "Only the named publishers may say that a platform stopped."
  }
}

run "functions_have_their_limits" {
  assert {
    condition = { for name, function in google_cloudfunctions2_function.this : name => function.service_config[0].timeout_seconds } == {
      pause = 60, resume = 60, status = 60, platform_event = 60, warm = 540, reconcile = 540
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
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.build_config[0].runtime == "python314"])
    error_message = "The runtime is the newest that is supported."
  }

  assert {
    condition     = alltrue([for function in google_cloudfunctions2_function.this : function.build_config[0].environment_variables["GOOGLE_FUNCTION_SOURCE"] == "functions/main.py"])
    error_message = "The source is functions/main.py."
  }
}

run "messages_are_ordered_kept_and_never_lost" {
  assert {
    condition     = google_pubsub_subscription.events.enable_message_ordering && google_pubsub_subscription.events.ack_deadline_seconds == 90
    error_message = "Messages come in order, and a call has its time."
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
    condition = (
      google_pubsub_subscription.events.push_config[0].oidc_token[0].audience == output.function_urls["platform_event"] &&
      google_pubsub_subscription.events.push_config[0].push_endpoint == output.function_urls["platform_event"] &&
      google_pubsub_subscription.events.push_config[0].oidc_token[0].service_account_email == google_service_account.push.email
    )
    error_message = "Pub/Sub calls platform_event as the push account, with its URL as audience."
  }

  assert {
    condition     = google_pubsub_topic_iam_member.dead_letters.role == "roles/pubsub.publisher" && google_pubsub_subscription_iam_member.events.role == "roles/pubsub.subscriber"
    error_message = "Pub/Sub's own agent has the two grants that dead-lettering needs."
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

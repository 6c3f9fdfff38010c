# Compute Engine's audit log has an entry when a VM starts and when it stops. A sink publishes these entries to the topic, so the
# VM needs no code and no right to publish.

locals {
  vm_methods = [
    # it runs
    "insert", "start", "startWithEncryptionKey", "resume", "automaticRestart",
    # it does not
    "stop", "suspend", "delete", "preempted", "hostError", "guestTerminate", "terminateOnHostMaintenance",
  ]
  vm_names = [for name, zone in var.platform_vms : "zones/${zone}/instances/${name}"]
}

resource "google_logging_project_sink" "vms" {
  count = length(var.platform_vms) > 0 ? 1 : 0

  name        = "${var.prefix}-platform-vms"
  project     = var.project_id
  description = "Starts and stops of the VMs that are platforms"
  destination = "pubsub.googleapis.com/${google_pubsub_topic.events.id}"

  # The last entry of an operation means that it is done. The entry of a failed operation is an ERROR.
  filter = join("\n", [
    "(log_id(\"cloudaudit.googleapis.com/activity\") OR log_id(\"cloudaudit.googleapis.com/system_event\"))",
    "resource.type=\"gce_instance\"",
    "protoPayload.resourceName=~\"^projects/[^/]+/(${join("|", local.vm_names)})$\"",
    "protoPayload.methodName=~\"(^|\\.)compute\\.instances\\.(${join("|", local.vm_methods)})$\"",
    "operation.last=true",
    "severity<ERROR",
  ])

  unique_writer_identity = true

  depends_on = [time_sleep.services]
}

# The first sink of a project creates Cloud Logging's service agent, and IAM refuses an account that it does not know yet.
resource "time_sleep" "vms_writer" {
  count = length(var.platform_vms) > 0 ? 1 : 0

  create_duration = "${var.wait_for_rights}s"
  triggers        = { writer = google_logging_project_sink.vms[0].writer_identity }
}

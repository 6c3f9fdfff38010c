variable "project_id" {
  description = "The Google Cloud project in which Terraform creates everything."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "A project's id has 6 to 30 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "region" {
  description = "The region of the functions, the secret and the source, and of the jobs unless `scheduler_region` names another."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "A region looks like europe-west1."
  }
}

variable "scheduler_region" {
  description = "The region of Cloud Scheduler's jobs, if `region` has no Cloud Scheduler. `gcloud scheduler locations list` names the regions that have it. Default: `region`."
  type        = string
  default     = null

  validation {
    condition     = var.scheduler_region == null || can(regex("^[a-z]+-[a-z]+[0-9]+$", var.scheduler_region))
    error_message = "A region looks like europe-west1."
  }
}

# A warning, not an error: Google adds regions.
check "scheduler_region" {
  assert {
    condition     = contains(local.scheduler_regions, local.scheduler_region)
    error_message = "${local.scheduler_region} is not a region that Cloud Scheduler is known to be in (September 2026). Set `scheduler_region` to a region that `gcloud scheduler locations list` names."
  }
}

locals {
  # docs.cloud.google.com/scheduler/docs/locations
  scheduler_regions = [
    "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3", "asia-south1", "asia-south2",
    "asia-southeast1", "asia-southeast2", "asia-southeast3", "australia-southeast1", "europe-central2", "europe-west1",
    "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west12", "me-central1", "me-central2", "me-west1",
    "northamerica-northeast1", "northamerica-northeast2", "southamerica-east1", "us-central1", "us-east1", "us-east4",
    "us-west1", "us-west2", "us-west3", "us-west4",
  ]
}

variable "prefix" {
  description = "The beginning of every name, and the functions' JOB_PREFIX. Two environments in one project need different prefixes."
  type        = string
  default     = "lifecycle"

  validation {
    # An account's name has at most 30 characters, and the longest ending is "-runtime".
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.prefix)) && !strcontains(var.prefix, "--")
    error_message = "The prefix has 3 to 20 lower-case letters, digits and single hyphens, begins with a letter, and does not end with a hyphen."
  }
}

variable "labels" {
  description = "Labels on every resource that supports them, in addition to `app` and `environment`."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))
    ])
    error_message = "Labels have lower-case letters, digits, - and _; a key begins with a letter."
  }

  validation {
    condition     = length(setintersection(keys(var.labels), ["app", "environment"])) == 0
    error_message = "Terraform sets the labels `app` and `environment` itself."
  }
}

variable "settings_file" {
  description = "The settings file to deploy, relative to the repository. Another environment in the same clone uses another file."
  type        = string
  default     = "functions/lifecycle.yaml"

  validation {
    condition     = can(yamldecode(file("${path.module}/../${var.settings_file}")).endpoints)
    error_message = "The file does not exist or is not a settings file. `lifecycle check FILE` lists its mistakes."
  }
}

# Python 3.14 is the newest runtime (docs.cloud.google.com/functions/docs/runtime-support, November 2026), and the newest
# for which every package in requirements.txt has a wheel; `.ci/run buildpack` checks that.
variable "python_runtime" {
  description = "The functions' runtime: the newest Python that both Cloud Run functions and requirements.txt support."
  type        = string
  default     = "python314"

  validation {
    condition     = can(regex("^python3(1[1-9]|[2-9][0-9])$", var.python_runtime))
    error_message = "The code needs Python 3.11 or newer: python311, python312, ..."
  }
}

variable "memory" {
  description = "Memory of one instance of a function. 512Mi is enough for hundreds of endpoints."
  type        = string
  default     = "512Mi"

  validation {
    condition     = contains(["512Mi", "1Gi", "2Gi"], var.memory)
    error_message = "One of 512Mi, 1Gi, 2Gi."
  }
}

variable "max_instances" {
  description = "Maximum number of instances of each function. platform_event always has one."
  type        = number
  default     = 3

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 20 && floor(var.max_instances) == var.max_instances
    error_message = "A whole number from 1 to 20."
  }
}

variable "token_version" {
  description = "The version of the secret that has the Hugging Face token. With `latest`, a new version is used within ten minutes, without a deployment."
  type        = string
  default     = "latest"

  validation {
    condition     = can(regex("^(latest|[1-9][0-9]*)$", var.token_version))
    error_message = "`latest` or the number of a version."
  }
}

variable "mount_token" {
  description = "true: Cloud Run mounts the token as a file (HF_TOKEN_FILE), and the functions read that instead of asking Secret Manager. It is the same version of the same secret. Cloud Run refuses to deploy while that version does not exist, so set it after the secret has a token."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "true: Terraform refuses to destroy or replace the secret, because its value cannot be restored. Set it to false, and apply, before you remove everything or change `region` or `prefix`."
  type        = bool
  default     = true
}

variable "kms_key" {
  description = "A key of Cloud KMS in `region` that encrypts the secret, the topics, the bucket of the source and the images: projects/P/locations/L/keyRings/R/cryptoKeys/K. Set it before the first apply. Default: Google's own keys."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key == null || can(regex("^projects/[^/]+/locations/${var.region}/keyRings/[^/]+/cryptoKeys/[^/]+$", var.kms_key))
    error_message = "A key looks like projects/P/locations/${var.region}/keyRings/R/cryptoKeys/K, and is in the same `region` as the deployment."
  }
}

variable "ingress" {
  description = "The networks from which the functions and the page can be reached, which Google checks before any right: ALLOW_ALL, ALLOW_INTERNAL_AND_GCLB or ALLOW_INTERNAL_ONLY. Cloud Scheduler and Pub/Sub of this project count as internal."
  type        = string
  default     = "ALLOW_ALL"

  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_INTERNAL_ONLY"], var.ingress)
    error_message = "One of ALLOW_ALL, ALLOW_INTERNAL_AND_GCLB, ALLOW_INTERNAL_ONLY."
  }
}

variable "people" {
  description = "Who may pause, resume, warm and release endpoints and see their status and the page, such as [\"group:ml-team@example.com\"]. Nobody else may."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.people : can(regex("^(user|group|domain|serviceAccount|principal|principalSet):.+$", member))])
    error_message = "Members look like group:ml-team@example.com. allUsers and allAuthenticatedUsers are never allowed."
  }
}

variable "publishers" {
  description = "Who may publish platform messages (started, stopped), such as [\"serviceAccount:vm@my-project.iam.gserviceaccount.com\"]. This is also the right to pause the endpoints that follow the platform."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.publishers : can(regex("^(user|group|serviceAccount|principal|principalSet):.+$", member))])
    error_message = "Members look like serviceAccount:NAME@PROJECT.iam.gserviceaccount.com. allUsers and allAuthenticatedUsers are never allowed."
  }
}

variable "platform_vms" {
  description = "Compute Engine VMs of this project, each with its zone, such as {main = \"europe-west1-b\"}. Their start and stop become platform messages. The platform in the settings has the VM's name."
  type        = map(string)
  default     = {}

  validation {
    condition = alltrue([
      for name, zone in var.platform_vms :
      can(regex("^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$", name)) && can(regex("^[a-z]+-[a-z]+[0-9]+-[a-z]$", zone))
    ])
    error_message = "Names of VMs (at most 32 characters, as platforms have) with their zones, such as {main = \"europe-west1-b\"}."
  }
}

variable "status_page_iap" {
  description = "true: also serve the page to browsers, behind Identity-Aware Proxy, by a separate service that only `people` can reach."
  type        = bool
  default     = false
}

variable "alerts" {
  description = "true: create the alert policies. Google charges for each condition."
  type        = bool
  default     = true
}

variable "alert_emails" {
  description = "Addresses that get the alerts. Without addresses and `notification_channels`, incidents only show in the console."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Email addresses."
  }
}

variable "notification_channels" {
  description = "Existing notification channels (Slack, PagerDuty, ...) that also get the alerts."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.notification_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", name))])
    error_message = "They look like projects/P/notificationChannels/N."
  }
}

variable "history_days" {
  description = "Days that the functions' log lines are kept, for `lifecycle history`. Beyond 30 days Google charges for storage."
  type        = number
  default     = 400

  validation {
    condition     = var.history_days >= 1 && var.history_days <= 3650 && floor(var.history_days) == var.history_days
    error_message = "Whole days, from 1 to 3650."
  }
}

variable "state_bucket" {
  description = "The bucket of Terraform's state. If it is set, Terraform creates an account for cloudbuild.yaml, which may deploy but not change rights."
  type        = string
  default     = null

  validation {
    condition     = var.state_bucket == null || can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.state_bucket))
    error_message = "A bucket's name, without gs://."
  }
}

variable "wait_for_rights" {
  description = "Seconds that the first apply waits, each time, until Google Cloud knows new services, rights and accounts everywhere. Later applies do not wait."
  type        = number
  default     = 90

  validation {
    condition     = var.wait_for_rights >= 0 && var.wait_for_rights <= 600 && floor(var.wait_for_rights) == var.wait_for_rights
    error_message = "Whole seconds, at most 600."
  }
}

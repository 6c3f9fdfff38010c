# One zip for all functions, which contains only what runs.

locals {
  root = "${path.module}/.."
  code = setunion(
    fileset(local.root, "functions/main.py"),
    [
      for file in setunion([for kind in ["py", "html", "css"] : fileset(local.root, "functions/lifecycle/**/*.${kind}")]...) :
      file if !startswith(file, "functions/lifecycle/cli/")
    ],
  )
  source_files = merge(
    { "requirements.txt" = "${local.root}/requirements.txt" },
    { for file in local.code : file => "${local.root}/${file}" },
    { "functions/lifecycle.yaml" = "${local.root}/${var.settings_file}" },
  )
}

data "archive_file" "source" {
  type             = "zip"
  output_path      = "${path.module}/build/${var.prefix}.zip"
  output_file_mode = "0644"

  dynamic "source" {
    for_each = local.source_files

    content {
      filename = source.key
      content  = file(source.value)
    }
  }
}

resource "google_storage_bucket" "source" {
  #checkov:skip=CKV_GCP_62:It holds this repository's own code and nobody reads it but Cloud Build; Admin Activity logs show who changes it
  name     = "${var.project_id}-${var.prefix}-source"
  project  = var.project_id
  location = var.region
  labels   = local.labels

  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = true # the repository has all of it

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 30
    }
  }

  # What `gcloud builds submit` uploads is read once.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age            = 7
      matches_prefix = ["builds/"]
    }
  }

  dynamic "encryption" {
    for_each = var.kms_key[*]

    content {
      default_kms_key_name = encryption.value
    }
  }

  depends_on = [time_sleep.services, time_sleep.key]
}

resource "google_storage_bucket_object" "source" {
  # A new name makes the functions take the new source.
  name   = "source/${data.archive_file.source.output_sha256}.zip"
  bucket = google_storage_bucket.source.name
  source = data.archive_file.source.output_path

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_artifact_registry_repository" "images" {
  #checkov:skip=CKV_GCP_84:Images of published code; Google's own encryption suffices
  repository_id = var.prefix
  project       = var.project_id
  location      = var.region
  format        = "DOCKER"
  description   = "The functions' images, as Cloud Build makes them"
  labels        = local.labels
  kms_key_name  = var.kms_key

  cleanup_policies {
    id     = "keep-newest"
    action = "KEEP"

    most_recent_versions {
      keep_count = 3
    }
  }

  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"

    condition {
      tag_state  = "ANY"
      older_than = "2592000s" # 30 days
    }
  }

  depends_on = [time_sleep.services, time_sleep.key]
}

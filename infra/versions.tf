terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
    archive = {
      source  = "hashicorp/archive"
      version = "~> 2.7"
    }
    time = {
      source  = "hashicorp/time"
      version = "~> 0.13"
    }
  }

  # Given to `terraform init`, so that each environment has its own state:
  #   terraform init -backend-config=bucket=BUCKET -backend-config=prefix=PREFIX
  backend "gcs" {}
}

provider "google" {
  project = var.project_id
  region  = var.region
}

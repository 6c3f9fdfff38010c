"""Google Cloud: Scheduler's jobs and the state in them, Secret Manager, Cloud Logging, Cloud Monitoring."""

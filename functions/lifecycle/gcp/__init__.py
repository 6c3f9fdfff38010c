"""Google Cloud: Scheduler's jobs, Secret Manager, and what is stored in the jobs."""

"""A job with a value in every field that the product writes."""

from datetime import timedelta

from lifecycle.gcp.jobs import Job, Retries

JOB = Job(
    id="x",
    schedule="0 8 * * 1-5",
    time_zone="Europe/Berlin",
    url="https://reconcile.example",
    body=b'{"endpoints": ["*"]}',
    headers={"Content-Type": "application/json"},
    account="invoker@p.iam",
    audience="https://reconcile.example",
    deadline=timedelta(seconds=570),
    retries=Retries(3, timedelta(0), timedelta(seconds=60), timedelta(hours=1), 5),
    description="made by a test",
)

"""Each account may do what its work needs, and nothing else: by the contents of the roles, not by their names."""

import pytest

from terraform.rights import PROJECT, Rights, grants, kinds, members, rights
from terraform.running import Made

# What Terraform asks of Google to read each resource, from the provider's source and Google's reference of each method.
READS = {
    "google_artifact_registry_repository": ["artifactregistry.repositories.get"],
    "google_artifact_registry_repository_iam": ["artifactregistry.repositories.getIamPolicy"],
    "google_cloud_run_v2_service": ["run.services.get"],
    "google_cloud_run_v2_service_iam": ["run.services.getIamPolicy"],
    "google_cloudfunctions2_function": ["cloudfunctions.functions.get"],
    "google_iap_web_cloud_run_service_iam": ["iap.webServices.getIamPolicy"],
    "google_logging_log_view": ["logging.views.get"],
    "google_logging_log_view_iam": ["logging.views.getIamPolicy"],
    "google_logging_metric": ["logging.logMetrics.get"],
    "google_logging_project_bucket_config": ["logging.buckets.get"],
    "google_logging_project_sink": ["logging.sinks.get"],
    "google_monitoring_alert_policy": ["monitoring.alertPolicies.get"],
    "google_monitoring_dashboard": ["monitoring.dashboards.get"],
    "google_monitoring_notification_channel": ["monitoring.notificationChannels.get"],
    "google_project": ["resourcemanager.projects.get"],
    "google_project_iam": ["resourcemanager.projects.getIamPolicy"],
    "google_project_iam_custom_role": ["iam.roles.get"],
    "google_project_service": ["serviceusage.services.get", "serviceusage.services.list"],
    "google_pubsub_subscription": ["pubsub.subscriptions.get"],
    "google_pubsub_subscription_iam": ["pubsub.subscriptions.getIamPolicy"],
    "google_pubsub_topic": ["pubsub.topics.get"],
    "google_pubsub_topic_iam": ["pubsub.topics.getIamPolicy"],
    "google_secret_manager_secret": ["secretmanager.secrets.get"],
    "google_secret_manager_secret_iam": ["secretmanager.secrets.getIamPolicy"],
    "google_service_account": ["iam.serviceAccounts.get"],
    "google_service_account_iam": ["iam.serviceAccounts.getIamPolicy"],
    "google_storage_bucket": ["storage.buckets.get"],
    "google_storage_bucket_iam": ["storage.buckets.getIamPolicy"],
    # read elsewhere than in the project: objects by the right on their bucket, the key's grants by that on the key
    "google_kms_crypto_key_iam": [],
    "google_storage_bucket_object": [],
    "archive_file": [],
    "time_sleep": [],
}
# What a deployment of code, settings or alerts changes.
CHANGES = {
    "google_cloudfunctions2_function": ["cloudfunctions.functions.update", "cloudfunctions.operations.get"],
    "google_cloud_run_v2_service": ["run.services.update", "run.operations.get"],
    "google_logging_metric": [f"logging.logMetrics.{verb}" for verb in ("create", "delete", "update")],
    "google_monitoring_alert_policy": [f"monitoring.alertPolicies.{verb}" for verb in ("create", "delete", "update")],
    "google_monitoring_dashboard": ["monitoring.dashboards.update"],
    "google_monitoring_notification_channel": [
        f"monitoring.notificationChannels.{verb}" for verb in ("create", "delete", "update")
    ],
}
JOBS = {
    f"cloudscheduler.jobs.{verb}"
    for verb in ("create", "delete", "enable", "fullView", "get", "list", "pause", "run", "update")
}
WRITES_ITS_LOG = {"logging.logEntries.create"}
INVOKE = {"run.routes.invoke"}
AGENTS = ("artifactregistry", "iap", "pubsub", "secretmanager")


@pytest.fixture(scope="module")
def held(everything: Made) -> Rights:
    return rights(everything.values)


def test_nobody_else_is_given_anything(everything: Made, held: Rights) -> None:
    own = {f"staging-{name}" for name in ("runtime", "invoker", "push", "build", "deploy")}
    agents = {f"serviceAccount:service-123456789012@gcp-sa-{name}.iam.gserviceaccount.com" for name in AGENTS}
    storage = "serviceAccount:service-123456789012@gs-project-accounts.iam.gserviceaccount.com"
    sink = everything.values["google_logging_project_sink.vms[0]"]["writer_identity"]
    people = {"group:ml-team@example.com", "serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com"}
    assert set(held) == own | agents | {storage, sink} | people


def test_the_deploying_account_has_exactly_the_verbs_of_a_deployment(everything: Made, held: Rights) -> None:
    there = kinds(everything.values)
    reads = {permission for kind in there for permission in READS[kind]}
    changes = {permission for kind in there for permission in CHANGES.get(kind, [])}
    assert held["staging-deploy"][PROJECT] == reads | changes | WRITES_ITS_LOG | JOBS


def test_the_deploying_account_holds_the_rest_on_single_things(held: Rights) -> None:
    places = {place.partition(" ")[0] for place in held["staging-deploy"] if place != PROJECT}
    assert places == {"service_account", "storage_bucket", "artifact_registry_repository", "kms_crypto_key"}


@pytest.mark.parametrize("name", ["runtime", "invoker", "push", "build", "deploy"])
def test_no_account_changes_rights_or_makes_keys(held: Rights, name: str) -> None:
    everything = set().union(*held[f"staging-{name}"].values())
    assert not {
        one for one in everything if "setIamPolicy" in one or "serviceAccountKeys" in one or "AccessToken" in one
    }


@pytest.mark.parametrize("name", ["invoker", "push", "build", "deploy"])
def test_the_functions_alone_read_the_token(held: Rights, name: str) -> None:
    assert "secretmanager.versions.access" not in set().union(*held[f"staging-{name}"].values())


def test_the_functions_read_one_secret_and_write_jobs(held: Rights) -> None:
    runtime = dict(held["staging-runtime"])
    assert runtime.pop(PROJECT) == JOBS | {"monitoring.timeSeries.list"}
    assert {place.partition(" ")[0] for place in runtime} == {
        "secret_manager_secret",
        "service_account",
        "logging_log_view",
    }
    assert runtime["secret_manager_secret staging-hf-token"] >= {"secretmanager.versions.access"}


@pytest.mark.parametrize(
    ("name", "functions"),
    [("invoker", ["pause", "reconcile", "resume", "warm"]), ("push", ["platform-event"])],
)
def test_who_calls_functions_does_nothing_else(held: Rights, name: str, functions: list[str]) -> None:
    assert held[f"staging-{name}"] == {f"cloud_run_v2_service staging-{function}": INVOKE for function in functions}


def test_builds_read_their_source_and_write_their_image_and_log(held: Rights) -> None:
    build = dict(held["staging-build"])
    assert build.pop(PROJECT) == {"logging.logEntries.create", "logging.logEntries.route"}
    assert "storage.objects.get" in build.pop("the project, if functions_source")
    assert [place.partition(" ")[0] for place in build] == ["artifact_registry_repository"]


def test_people_call_functions_and_read_the_past(held: Rights) -> None:
    people = dict(held["group:ml-team@example.com"])
    assert people.pop(PROJECT) == {"monitoring.timeSeries.list"}
    callable_ = {place for place, permissions in people.items() if permissions >= INVOKE}
    assert callable_ == {
        f"cloud_run_v2_service staging-{name}" for name in ("pause", "resume", "warm", "reconcile", "status", "console")
    }


def test_nothing_is_granted_to_everybody(everything: Made) -> None:
    everybody = {member for _, values in grants(everything.values) for member in members(values)}
    assert not {member for member in everybody if member.startswith("all")}

"""Plans for four sets of variables against the provider's schema, and what later plans change.

Needs the stand-in for the provider registry: a real provider would ask Google.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from terraform.running import ROOT, Deployed, copied

PROJECT: dict[str, Any] = {"project_id": "acme-ml-prod"}
IAP = PROJECT | {"people": ["group:ml-team@example.com"], "status_page_iap": True}
KEYS = PROJECT | {"kms_key": "projects/acme-keys/locations/europe-west1/keyRings/ml/cryptoKeys/lifecycle"}
EVERYTHING = (
    IAP
    | KEYS
    | {
        "region": "europe-west1",
        "scheduler_region": "europe-west3",
        "prefix": "staging",
        "labels": {"team": "ml"},
        "settings_file": "functions/lifecycle.yaml",
        "python_runtime": "python313",
        "memory": "1Gi",
        "max_instances": 5,
        "token_version": "3",
        "mount_token": True,
        "deletion_protection": False,
        "ingress": "ALLOW_INTERNAL_AND_GCLB",
        "publishers": ["serviceAccount:vm@acme-ml-prod.iam.gserviceaccount.com"],
        "platform_vms": {"main": "europe-west1-b"},
        "alerts": True,
        "alert_emails": ["ml-team@example.com"],
        "notification_channels": ["projects/acme-ml-prod/notificationChannels/1"],
        "state_bucket": "acme-terraform",
        "wait_for_rights": 30,
        "history_days": 30,
    }
)
SETS = {"least": PROJECT, "IAP": IAP, "keys": KEYS, "everything": EVERYTHING}
# What is made only for some sets, by the resource that shows it.
OPTIONAL = {
    "google_cloud_run_v2_service.page[0]": {"IAP", "everything"},
    "google_kms_crypto_key_iam_member.users": {"keys", "everything"},
    "google_service_account.deploy[0]": {"everything"},
    "google_logging_project_sink.vms[0]": {"everything"},
    "google_pubsub_topic_iam_binding.publishers[0]": {"everything"},
    "google_cloud_run_v2_service_iam_binding.console_viewer[0]": {"IAP", "everything"},
}


def test_everything_is_every_variable() -> None:
    declared = {
        name
        for file in (ROOT / "infra").glob("*.tf")
        for name in re.findall(r'^variable "(\w+)"', file.read_text(), re.M)
    }
    assert set(EVERYTHING) == declared


@pytest.mark.parametrize("name", SETS)
def test_a_first_plan_makes_what_its_variables_ask_for(tmp_path: Path, name: str) -> None:
    planned = Deployed(copied(tmp_path), SETS[name]).plan()
    print(f"{name}: {sum(actions == ['create'] for actions in planned.values())} resources")
    assert {tuple(actions) for actions in planned.values()} <= {("create",), ("read",)}
    made = {one for one in OPTIONAL if any(address.startswith(one) for address in planned)}
    assert made == {one for one, sets in OPTIONAL.items() if name in sets}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    deployed = Deployed(copied(tmp_path_factory.mktemp("everything")), EVERYTHING | {"wait_for_rights": 0})
    deployed.apply()
    return deployed


@pytest.fixture(scope="module")
def after(everything: Deployed) -> dict[str, set[str]]:
    """What each resource is made after."""
    return everything.waits_for()


@pytest.fixture(scope="module")
def deployment(everything: Deployed) -> dict[str, list[str]]:
    """The plan of another deployment: functions with more memory."""
    return everything.plan(memory="2Gi")


def test_what_is_made_waits_until_its_service_is_there(after: dict[str, set[str]]) -> None:
    early = {"google_project_service.this"}
    made = {name for name in after if name.startswith("google_")} - early
    assert {name for name in made if "time_sleep.services" not in after[name]} == set()
    assert "google_project_service.this" in after["time_sleep.services"]


def test_functions_are_built_after_rights_have_spread(after: dict[str, set[str]]) -> None:
    assert "time_sleep.build_rights" in after["google_cloudfunctions2_function.this"]
    assert "google_project_iam_member.build_source" in after["time_sleep.build_rights"]
    assert "google_logging_project_sink.vms" in after["time_sleep.vms_writer"]


def test_a_second_plan_changes_nothing(everything: Deployed) -> None:
    assert everything.plan() == {}


def test_the_page_takes_its_image_after_the_function_has_a_new_one(deployment: dict[str, list[str]]) -> None:
    assert deployment["data.google_cloud_run_v2_service.console[0]"] == ["read"]
    assert deployment["google_cloud_run_v2_service.page[0]"] == ["update"]


def test_another_service_replaces_no_grant(everything: Deployed) -> None:
    planned = everything.plan("-replace=time_sleep.services")
    assert not any("_iam_" in address for address in planned)


def test_a_deployment_leaves_callers_in(deployment: dict[str, list[str]]) -> None:
    assert {actions[0] for address, actions in deployment.items() if address.startswith("google_")} == {"update"}
    assert not any("_iam_" in address for address in deployment)


@pytest.mark.parametrize(
    ("replaced", "grants"),
    [
        ('google_cloudfunctions2_function.this["pause"]', {'google_cloud_run_v2_service_iam_binding.invoker["pause"]'}),
        (
            'google_cloudfunctions2_function.this["console"]',
            {
                'google_cloud_run_v2_service_iam_binding.invoker["console"]',
                "google_cloud_run_v2_service_iam_binding.console_viewer[0]",
            },
        ),
        (
            "google_cloud_run_v2_service.page[0]",
            {
                "google_cloud_run_v2_service_iam_binding.page[0]",
                "google_iap_web_cloud_run_service_iam_binding.page[0]",
            },
        ),
        ("google_pubsub_topic.events", {"google_pubsub_topic_iam_binding.publishers[0]"}),
        ("google_pubsub_topic.dead_letters", {"google_pubsub_topic_iam_member.dead_letters"}),
        ("google_pubsub_subscription.events", {"google_pubsub_subscription_iam_member.events"}),
        ("google_secret_manager_secret.token", {"google_secret_manager_secret_iam_binding.token"}),
    ],
)
def test_what_is_replaced_keeps_its_grants(everything: Deployed, replaced: str, grants: set[str]) -> None:
    planned = everything.plan(f"-replace={replaced}")
    assert grants <= {
        address for address, actions in planned.items() if actions in (["delete", "create"], ["create", "delete"])
    }

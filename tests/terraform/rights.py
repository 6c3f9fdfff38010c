"""Who may do what where, by the grants in a Terraform state and the contents of the roles.

`roles.json` has what Google's own roles contain (November 2026; of iam.securityReviewer only what it means on a key).
A role that is granted and is not in it is an error, so that nobody grants one without having looked at it.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROLES: dict[str, list[str]] = json.loads((Path(__file__).parent / "roles.json").read_text())
# The attribute that names what a grant is on, by the end of the resource's type.
ON = {
    "google_artifact_registry_repository_iam": "repository",
    "google_cloud_run_v2_service_iam": "name",
    "google_iap_web_cloud_run_service_iam": "cloud_run_service_name",
    "google_kms_crypto_key_iam": "crypto_key_id",
    "google_logging_log_view_iam": "name",
    "google_project_iam": "project",
    "google_pubsub_subscription_iam": "subscription",
    "google_pubsub_topic_iam": "topic",
    "google_secret_manager_secret_iam": "secret_id",
    "google_service_account_iam": "service_account_id",
    "google_storage_bucket_iam": "bucket",
}
PROJECT = "the project"

Values = dict[str, Any]
Rights = dict[str, dict[str, set[str]]]  # by member, then by what they are on


def rights(made: dict[str, Values]) -> Rights:
    """`made`: the values of each resource by its address. Accounts that are made have their account id as name."""
    custom = {values["id"]: values["permissions"] for values in of_kind(made, "google_project_iam_custom_role")}
    names = {values["member"]: values["account_id"] for values in of_kind(made, "google_service_account")}
    found: Rights = defaultdict(lambda: defaultdict(set))
    for kind, values in grants(made):
        for member in members(values):
            found[names.get(member, member)][_on(kind, values)].update((custom | ROLES)[values["role"]])
    return {member: dict(places) for member, places in found.items()}


def of_kind(made: dict[str, Values], kind: str) -> list[Values]:
    return [values for address, values in made.items() if _kind(address) == kind]


def members(values: Values) -> list[str]:
    return values.get("members") or [values["member"]]


def grants(made: dict[str, Values]) -> Iterator[tuple[str, Values]]:
    """Every grant: the type of what it is on, with `_iam`, and its values."""
    for address, values in made.items():
        kind, _, ending = _kind(address).rpartition("_")
        if kind.endswith("_iam") and ending in ("member", "binding"):
            yield kind, values


def kinds(made: dict[str, Values]) -> set[str]:
    """The types of everything that is made or read; grants of one type as that with `_iam`."""
    every = {_kind(address) for address in made}
    return {kind.rpartition("_")[0] if kind.endswith(("_iam_member", "_iam_binding")) else kind for kind in every}


def _kind(address: str) -> str:
    return address.removeprefix("data.").partition(".")[0]


def _on(kind: str, values: Values) -> str:
    if kind == "google_project_iam" and not values["condition"]:
        return PROJECT
    if kind == "google_project_iam":
        return f"the project, if {values['condition'][0]['title']}"
    return f"{kind.removeprefix('google_').removesuffix('_iam')} {values[ON[kind]]}"

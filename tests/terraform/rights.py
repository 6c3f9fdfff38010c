"""Who may do what where, by the grants in a Terraform state and the contents of the roles.

`roles.json` has what Google's own roles contain (November 2026; of iam.securityReviewer only what it means on a key).
A role that is granted and is not in it is an error, so that nobody grants one without having looked at it.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
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

Rights = dict[str, dict[str, set[str]]]  # by member, then by what they are on


def rights(resources: Iterable[dict[str, Any]]) -> Rights:
    resources = list(resources)
    custom = {
        one["values"]["id"]: one["values"]["permissions"]
        for one in resources
        if one["type"] == "google_project_iam_custom_role"
    }
    found: Rights = defaultdict(lambda: defaultdict(set))
    for kind, values in grants(resources):
        for member in values.get("members") or [values["member"]]:
            found[member.removeprefix("serviceAccount:").partition("@")[0]][_on(kind, values)].update(
                (custom | ROLES)[values["role"]]
            )
    return {member: dict(places) for member, places in found.items()}


def grants(resources: Iterable[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every grant: the type of what it is on, and its values."""
    for one in resources:
        kind, _, ending = one["type"].rpartition("_")
        if kind.endswith("_iam") and ending in ("member", "binding"):
            yield kind, one["values"]


def _on(kind: str, values: dict[str, Any]) -> str:
    if kind == "google_project_iam" and not values["condition"]:
        return PROJECT
    if kind == "google_project_iam":
        return f"the project, if {values['condition'][0]['title']}"
    return f"{kind.removeprefix('google_').removesuffix('_iam')} {values[ON[kind]]}"

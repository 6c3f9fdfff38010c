"""Dashboard, alerts, metrics and sinks are bodies that Google's APIs take: by their discovery documents."""

import json
from typing import Any

import pytest

from support.discovery import document, faults
from terraform.running import Made

# A resource of Terraform's provider: the API, the schema of its body, and what of it is the provider's own.
BODIES = {
    "google_logging_metric": ("logging.v2", "LogMetric", {"project", "deletion_policy"}),
    "google_logging_project_sink": (
        "logging.v2",
        "LogSink",
        {"project", "unique_writer_identity", "custom_writer_identity", "deletion_policy"},
    ),
    "google_monitoring_alert_policy": ("monitoring.v3", "AlertPolicy", {"project", "deletion_policy"}),
    "google_monitoring_notification_channel": (
        "monitoring.v3",
        "NotificationChannel",
        {"project", "force_delete", "deletion_policy", "verification_status"},
    ),
}


def body(api: str, schema: str, values: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    """A resource's values as the body of a request: camel case, blocks as objects, nothing that is not given."""
    fields = document(api)["schemas"][schema]["properties"]
    made = {}
    for name, value in values.items():
        key = camel(name)
        if value in (None, [], {}, "") or name in left_out or fields.get(key, {}).get("readOnly"):
            continue
        made[key] = _value(api, fields.get(key, {}), value)
    return made


def camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(part.capitalize() for part in more)


def _value(api: str, field: dict[str, Any], value: Any) -> Any:
    if "$ref" in field and isinstance(value, list) and len(value) == 1:
        return body(api, field["$ref"], value[0], set())
    if "$ref" in field.get("items", {}):
        return [body(api, field["items"]["$ref"], one, set()) for one in value]
    return value


def of_kind(made: Made, kind: str) -> dict[str, dict[str, Any]]:
    return {address: values for address, values in made.values.items() if address.startswith(f"{kind}.")}


@pytest.mark.parametrize("kind", BODIES)
def test_what_is_made_is_a_body_of_the_api(made: Made, kind: str) -> None:
    api, schema, left_out = BODIES[kind]
    found = of_kind(made, kind)
    assert found
    for address, values in found.items():
        assert faults(api, schema, body(api, schema, values, left_out | {"id"})) == [], address


def test_the_dashboard_is_a_body_of_the_api(made: Made) -> None:
    dashboard = json.loads(made.values["google_monitoring_dashboard.this"]["dashboard_json"])
    assert faults("monitoring.v1", "Dashboard", dashboard) == []


def test_a_widget_that_no_dashboard_has_is_reported(made: Made) -> None:
    dashboard = json.loads(made.values["google_monitoring_dashboard.this"]["dashboard_json"])
    dashboard["gridLayout"]["widgets"][0]["incidentLst"] = {}
    assert faults("monitoring.v1", "Dashboard", dashboard)


def test_an_alert_that_no_policy_has_is_reported(made: Made) -> None:
    values = made.values['google_monitoring_alert_policy.this["failed"]']
    wrong = body("monitoring.v3", "AlertPolicy", values, {"project", "deletion_policy", "id"})
    wrong["conditions"][0]["conditionThreshold"]["comparison"] = "COMPARISON_MORE"
    assert faults("monitoring.v3", "AlertPolicy", wrong)

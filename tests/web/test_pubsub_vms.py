"""A VM as a platform: which entries of its audit log mean that it has started or stopped."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from lifecycle.config.schema import Invalid
from lifecycle.core.model import Message
from lifecycle.web import pubsub as events

TIME = "2026-11-24T06:00:00Z"
SIX = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)


def read(body: dict[str, Any]) -> Message | events.NoChange:
    return events.read(json.dumps(body).encode(), {"content-type": "application/json"})


VM = "projects/p/zones/europe-west1-b/instances/vm-1"


def audit(method: str, vm: str = VM, status: Any = None, **entry: Any) -> dict[str, Any]:
    """A push of an audit-log entry; `status`: of the request, `entry`: fields of the LogEntry."""
    payload = {"@type": "type.googleapis.com/google.cloud.audit.AuditLog", "methodName": method, "resourceName": vm}
    if status is not None:
        payload["status"] = status
    whole = {"protoPayload": payload, "severity": "NOTICE", "timestamp": "2020-01-01T00:00:00Z", **entry}
    data = base64.b64encode(json.dumps(whole).encode()).decode()
    return {"message": {"data": data, "messageId": "1", "publishTime": TIME}, "subscription": "s"}


@pytest.mark.parametrize(
    ("method", "event"),
    [
        *[("v1.compute.instances.start", "started"), ("beta.compute.instances.insert", "started")],
        *[("v1.compute.instances.resume", "started"), ("compute.instances.automaticRestart", "started")],
        *[("v1.compute.instances.stop", "stopped"), ("v1.compute.instances.delete", "stopped")],
        *[("v1.compute.instances.suspend", "stopped"), ("compute.instances.preempted", "stopped")],
        *[("compute.instances.hostError", "stopped"), ("compute.instances.guestTerminate", "stopped")],
    ],
)
def test_a_vm_is_a_platform_of_its_own_name(method: str, event: Any) -> None:
    assert read(audit(method)) == Message("vm-1", event, SIX)


@pytest.mark.parametrize("method", ["v1.compute.instances.setMetadata", "v1.compute.instances.list", ""])
def test_what_a_vm_does_besides_is_refused(method: str) -> None:
    with pytest.raises(Invalid):
        read(audit(method))


START, STOP = "v1.compute.instances.start", "v1.compute.instances.stop"
BOTH_ENDS = {"id": "operation-1", "producer": "compute.googleapis.com", "first": True, "last": True}


@pytest.mark.parametrize("method", [START, STOP, "compute.instances.preempted"])
@pytest.mark.parametrize(
    "entry",
    [
        {"status": {"code": 8, "message": "ZONE_RESOURCE_POOL_EXHAUSTED"}, "operation": BOTH_ENDS},
        {"status": {"code": 7}},
        {"severity": "ERROR"},
        {"severity": "CRITICAL", "operation": {"last": True}},
        {"severity": 500},
        {"operation": {"first": True}},
        {"operation": {"first": True, "last": False}},
        {"operation": {"id": "operation-1"}},
    ],
)
def test_an_audit_entry_that_does_not_say_that_it_happened_changes_nothing(method: str, entry: Any) -> None:
    assert isinstance(read(audit(method, **entry)), events.NoChange)


@pytest.mark.parametrize(
    "entry",
    [
        {"operation": {"last": True}},
        {"operation": BOTH_ENDS, "status": {}},
        {"status": {"code": 0}, "severity": "WARNING"},
        {"status": {"message": "OK"}, "severity": "DEFAULT"},
    ],
)
def test_an_audit_entry_that_says_that_it_happened_is_a_message(entry: Any) -> None:
    assert read(audit(STOP, **entry)) == Message("vm-1", "stopped", SIX)


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("v1.compute.disks.insert", "projects/p/zones/z/disks/vm-1"),
        ("v1.compute.disks.insert", VM),
        ("google.cloud.sql.instances.stop", VM),
        (START, "projects/p/zones/z/disks/vm-1"),
        (START, "vm-1"),
        (START, f"{VM}/"),
    ],
)
def test_an_audit_entry_about_something_else_is_refused(method: str, name: str) -> None:
    with pytest.raises(Invalid):
        read(audit(method, name))

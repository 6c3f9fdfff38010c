"""Reads a platform message from a Pub/Sub push or a CloudEvent. Pure.

A Compute Engine audit-log entry that a log sink publishes is also a message: the VM is the platform with its name. An
entry of an operation that failed, or is not done yet, changes nothing.

Sources: Pub/Sub's push body (`{"message": {"data", "attributes", "messageId", "publishTime"}, "subscription"}`) and
CloudEvents 1.0 over HTTP, binary (`ce-` headers) and structured (`application/cloudevents+json`); Cloud Logging's
LogEntry with an AuditLog.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from lifecycle.config.schema import Invalid, Problem, shown
from lifecycle.core.model import Message
from lifecycle.core.times import parse_rfc3339

EVENTS = ("started", "stopped")

# The last part of a method's name, from Compute Engine's audit logs, and what it means for the VM.
_UP = ("insert", "start", "startWithEncryptionKey", "resume", "automaticRestart")

_DOWN = ("stop", "suspend", "delete", "preempted", "hostError", "guestTerminate", "terminateOnHostMaintenance")

VM_METHODS = dict.fromkeys(_UP, "started") | dict.fromkeys(_DOWN, "stopped")


# Of a LogEntry: names of google.logging.type.LogSeverity, and their numbers.
_FAILED = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY", 500, 600, 700, 800)

_INSTANCE = re.compile(r"(?:^|/)projects/[^/]+/zones/[^/]+/instances/[^/]+$")


@dataclass(frozen=True)
class NoChange:
    """A valid delivery that changes nothing, and why."""

    reason: str


def read(body: bytes, headers: Mapping[str, str]) -> Message | NoChange:
    """The message in a delivery; `headers` by lower-case name. Raises `Invalid` if it is malformed."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/cloudevents+json":
        return _structured(_object(_json(body, "the body"), "the body"))
    if any(name in headers for name in ("ce-specversion", "ce-type", "ce-id")):
        return _message(_delivered(_json(body, "the body") if body else None, headers.get("ce-time")))
    envelope = _object(_json(body, "the body"), "the body")
    if "specversion" in envelope:
        return _structured(envelope)
    if not isinstance(envelope.get("message"), dict):
        raise _refused("message: is missing; must be a Pub/Sub push or a CloudEvent")
    return _message(_delivered(envelope, None))


def _structured(event: dict[str, Any]) -> Message | NoChange:
    data = event.get("data")
    if data is None and isinstance(event.get("data_base64"), str):
        data = _decoded(event["data_base64"], "data_base64")
    return _message(_delivered(data, event.get("time")))


@dataclass(frozen=True)
class _Delivery:
    data: Any
    time: Any


def _delivered(data: Any, time: Any) -> _Delivery:
    """The data of the Pub/Sub message, if there is one, and its time."""
    if isinstance(data, str):
        data = _json(data, "data")
    message = data.get("message") if isinstance(data, dict) else None
    if not isinstance(message, dict):
        return _Delivery(data, time)
    payload = message.get("data")
    data = _decoded(payload, "message.data") if payload not in (None, "") else message.get("attributes")
    return _Delivery(data, message.get("publishTime") or message.get("publish_time") or time)


def _message(delivery: _Delivery) -> Message | NoChange:
    data = _object(delivery.data, "the message")
    if isinstance(audit := data.get("protoPayload"), dict):
        happened = _vm(data, audit)
        if isinstance(happened, NoChange):
            return happened
        data = happened
    problems = []
    platform, event = data.get("platform"), data.get("event")
    if not isinstance(platform, str) or not platform:
        problems.append(Problem(("platform",), f"{shown(platform)}: must be the name of a platform"))
    if event not in EVENTS:
        problems.append(Problem(("event",), f"{shown(event)}: must be {' or '.join(EVENTS)}"))
    at = parse_rfc3339(delivery.time) if isinstance(delivery.time, str) else None
    if at is None:
        what = "must be a time: Pub/Sub's publishTime or the CloudEvent's time"
        problems.append(Problem(("time",), f"{shown(delivery.time)}: {what}"))
    if problems or at is None:
        raise Invalid(*problems)
    return Message(cast(str, platform), cast(Any, event), at)


def _vm(entry: dict[str, Any], audit: dict[str, Any]) -> dict[str, Any] | NoChange:
    """The platform message in a VM's audit-log entry, or why it changes nothing."""
    method, name = str(audit.get("methodName", "")), str(audit.get("resourceName", ""))
    resource, _, verb = method.rpartition(".")
    event, vm = VM_METHODS.get(verb), name.rpartition("/instances/")[2]
    if event is None or not f".{resource}".endswith(".compute.instances"):
        raise _refused(f"protoPayload.methodName: {shown(method)}: must start or stop a Compute Engine VM")
    if not _INSTANCE.search(name):
        raise _refused(f"protoPayload.resourceName: {shown(name)}: must be projects/P/zones/Z/instances/NAME")
    status, operation = audit.get("status"), entry.get("operation")
    if (isinstance(status, dict) and status.get("code") not in (None, 0, "0")) or entry.get("severity") in _FAILED:
        return NoChange(f"{verb} of the VM {vm} failed; it changes nothing")
    if isinstance(operation, dict) and operation.get("last") is not True:
        return NoChange(f"{verb} of the VM {vm} was requested and is not done yet; it changes nothing")
    return {"platform": vm, "event": event}


def _decoded(text: Any, where: str) -> Any:
    try:
        return _json(base64.b64decode(text, validate=True), where)
    except (binascii.Error, TypeError, ValueError) as error:
        if isinstance(error, Invalid):
            raise
        raise _refused(f"{where}: is not base64") from None


def _json(text: bytes | str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refused(f"{where}: is not JSON: {error}") from None


def _object(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refused(f"{where}: must be a JSON object")
    return value


def _refused(what: str) -> Invalid:
    return Invalid(Problem((), what))

"""Terraform without a provider registry: the stand-in named by TERRAFORM_OFFLINE, with the schemas that it lacks.

The stand-in serves the schemas of `hashicorp/google` 7.45 that it has, and runs the real terraform. Added here, from
the documentation of the providers, are the resources and data sources that infra/ uses besides. What the stand-in has
is never replaced.
"""

import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from types import ModuleType
from typing import Any

Attributes = dict[str, dict[str, Any]]


def _attribute(kind: Any = "string", **how: bool) -> dict[str, Any]:
    return {"type": kind, **how}


def required(*names: str) -> Attributes:
    return {name: _attribute(required=True) for name in names}


def optional(*names: str, kind: Any = "string") -> Attributes:
    return {name: _attribute(kind, optional=True) for name in names}


def computed(*names: str, kind: Any = "string") -> Attributes:
    return {name: _attribute(kind, computed=True) for name in names}


def chosen(*names: str, kind: Any = "string") -> Attributes:
    """Attributes that Google fills in where they are not given."""
    return {name: _attribute(kind, optional=True, computed=True) for name in names}


def blocks(name: str, attributes: Attributes, *, most: int = 0) -> Attributes:
    return {name: {"nesting": "list", "optional": True, "MaxItems": most, "block": attributes}}


CONDITION = blocks("condition", required("expression", "title") | optional("description"), most=1)
MEMBER = required("member", "role") | computed("etag") | CONDITION
LOG_VIEW = required("name", "bucket") | optional("parent", "description", "filter") | chosen("location")
LOG_BUCKET = (
    required("project", "location", "bucket_id")
    | optional("description", "deletion_policy")
    | optional("retention_days", kind="number")
    | optional("locked", "enable_analytics", kind="bool")
    | chosen("description")
    | computed("name", "lifecycle_state")
    | blocks("cmek_settings", required("kms_key_name") | computed("name", "kms_key_version_name", "service_account_id"))
    | blocks("index_configs", required("field_path", "type"))
)
RESOURCES = {
    "google_kms_crypto_key_iam_member": required("crypto_key_id") | MEMBER,
    "google_logging_log_view": LOG_VIEW | computed("create_time", "update_time"),
    "google_logging_log_view_iam_member": required("parent", "bucket", "name") | chosen("location") | MEMBER,
    "google_logging_project_bucket_config": LOG_BUCKET,
}
# What a data source reads, where a plan or an apply goes on with it.
READ: dict[str, dict[str, Any]] = {
    "google_project": {"number": "123456789012"},
    "google_cloud_run_v2_service": {
        "template": [{"containers": [{"image": "console@sha256:1", "base_image_uri": "python314"}]}],
    },
}
TIME_SLEEP = optional("create_duration", "destroy_duration") | optional("triggers", kind=["map", "string"])


def as_data(attributes: Attributes, *given: str) -> Attributes:
    """A resource as a data source: all of it is read but the names that it is looked up by."""
    read = {name: _read_only(attribute) for name, attribute in attributes.items()}
    return read | required(*given) | chosen("project")


def _read_only(attribute: dict[str, Any]) -> dict[str, Any]:
    if "block" not in attribute:
        return {"type": attribute["type"], "computed": True}
    inner = {name: _read_only(one) for name, one in attribute["block"].items()}
    return {"nesting": attribute["nesting"], "computed": True, "block": inner}


def stand_in(path: str) -> ModuleType:
    spec = spec_from_loader("terraform_offline", SourceFileLoader("terraform_offline", path))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def whole(attributes: Attributes, given: dict[str, Any]) -> dict[str, Any]:
    """A value with every attribute: those given, and null or empty for the others."""
    value: dict[str, Any] = {}
    for name, attribute in attributes.items():
        inner = attribute.get("block")
        if inner is None:
            value[name] = given.get(name)
        else:
            value[name] = [whole(inner, one) for one in given.get(name, [])]
    return value


def extend_answers(provider: type) -> None:
    """Data sources read what READ says of them, and custom roles have the ids that grants name."""
    fill = provider._fill  # type: ignore[attr-defined]

    def filled(self: Any, kind: str, type_name: str, state: dict[str, Any]) -> dict[str, Any]:
        value: dict[str, Any] = fill(self, kind, type_name, state)
        if kind == "data_sources" and type_name in READ:
            attributes = self.spec[kind][type_name]["attrs"]
            value |= whole({name: attributes[name] for name in READ[type_name]}, READ[type_name])
        if type_name == "google_project_iam_custom_role":
            value["id"] = f"projects/{value['project']}/roles/{value['role_id']}"
        return value

    provider._fill = filled  # type: ignore[attr-defined]


def extend(providers: dict[str, Any]) -> None:
    google = providers["google"]
    for name, attributes in RESOURCES.items():
        google["resources"].setdefault(name, {"attrs": attributes})
    service = as_data(google["resources"]["google_cloud_run_v2_service"]["attrs"], "name", "location")
    google["data_sources"].setdefault("google_cloud_run_v2_service", {"attrs": service})
    time = {"provider": {}, "data_sources": {}, "resources": {"time_sleep": {"attrs": TIME_SLEEP}}}
    providers.setdefault("time", time)


if __name__ == "__main__":
    offline = stand_in(os.environ["TERRAFORM_OFFLINE"])
    extend(offline.PROVIDERS)
    extend_answers(offline.Provider)
    offline.main()

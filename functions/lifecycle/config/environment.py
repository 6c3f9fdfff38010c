"""The environment's variables (docs/design.md, "Environment"), checked all at once. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lifecycle.config.schema import Invalid, Problem, shown

API = "https://api.endpoints.huggingface.cloud/v2"
_BESIDE = Path(__file__).parents[2]  # main.py is there in a checkout and where it is deployed
_INSTALLED = _BESIDE.name in ("site-packages", "dist-packages") or not (_BESIDE / "main.py").exists()
SETTINGS = (Path() if _INSTALLED else _BESIDE) / "lifecycle.yaml"
_LOOPBACK = r"http://(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]{1,5})?(?:/\S*)?"
_URL = rf"https://[^\s/@]+(?:/\S*)?|{_LOOPBACK}"
_FORMS = {
    "HF_TOKEN_SECRET": (r"projects/[^/\s]+/secrets/[^/\s]+/versions/[^/\s]+", "projects/P/secrets/S/versions/V"),
    "HF_ENDPOINTS_URL": (_URL, "an https URL, or http on loopback"),
    "SCHEDULER_PARENT": (r"projects/[^/\s]+/locations/[^/\s]+", "projects/P/locations/L"),
    "JOB_PREFIX": (r"[A-Za-z0-9_-]{1,100}", "1 to 100 of A-Z, a-z, 0-9, - and _"),
    "CLOUD_SCHEDULER_URL": (_URL, "an https URL, or http on loopback"),
    "SECRET_MANAGER_URL": (_URL, "an https URL, or http on loopback"),
    "LOGGING_PARENT": (
        r"projects/[^/\s]+(?:/locations/[^/\s]+/buckets/[^/\s]+/views/[^/\s]+)?",
        "projects/P/locations/L/buckets/B/views/V, or projects/P",
    ),
    "MONITORING_PARENT": (r"projects/[^/\s]+", "projects/P"),
    "CLOUD_LOGGING_URL": (_URL, "an https URL, or http on loopback"),
    "CLOUD_MONITORING_URL": (_URL, "an https URL, or http on loopback"),
    "FUNCTIONS_URL": (
        rf"(?=.*\{{name\}})(?:{_URL})",
        "an https URL, or http on loopback, with {name} in it",
    ),
    "INVOKER_SERVICE_ACCOUNT": (r"[^@\s]+@[^@\s]+", "the email of a service account"),
}


@dataclass(frozen=True)
class Environment:
    """The values of the environment's variables. None: not set."""

    config: Path
    token_file: Path | None
    token_secret: str | None
    token: str | None = field(repr=False)
    endpoints_url: str
    scheduler_parent: str | None
    prefix: str
    scheduler_url: str | None
    secrets_url: str | None
    logging_parent: str | None
    monitoring_parent: str | None
    logging_url: str | None
    monitoring_url: str | None
    functions_url: str | None
    invoker: str | None
    iap_audience: str | None
    deployed: bool

    @property
    def project(self) -> str | None:
        parent = self.scheduler_parent or self.token_secret
        return parent.split("/")[1] if parent else None

    def function_url(self, name: str) -> str:
        return (self.functions_url or "").replace("{name}", name)


def read(variables: Mapping[str, str]) -> Environment:
    """Raises `Invalid` with every malformed variable; an empty one counts as not set."""
    given = {name: value for name, value in variables.items() if value}
    problems = [
        # Not shown, because it may be a token that was put into the wrong variable.
        Problem((name,), f"must be {what}" if name == "HF_TOKEN_SECRET" else f"{shown(given[name])}: must be {what}")
        for name, (form, what) in _FORMS.items()
        if name in given and not re.fullmatch(form, given[name])
    ]
    if problems:
        raise Invalid(*problems)
    return Environment(
        config=Path(given.get("LIFECYCLE_CONFIG", SETTINGS)),
        token_file=Path(given["HF_TOKEN_FILE"]) if "HF_TOKEN_FILE" in given else None,
        token_secret=given.get("HF_TOKEN_SECRET"),
        token=given.get("HF_TOKEN"),
        endpoints_url=given.get("HF_ENDPOINTS_URL", API).rstrip("/"),
        scheduler_parent=given.get("SCHEDULER_PARENT"),
        prefix=given.get("JOB_PREFIX", "lifecycle"),
        scheduler_url=given.get("CLOUD_SCHEDULER_URL"),
        secrets_url=given.get("SECRET_MANAGER_URL"),
        logging_parent=given.get("LOGGING_PARENT"),
        monitoring_parent=given.get("MONITORING_PARENT"),
        logging_url=given.get("CLOUD_LOGGING_URL"),
        monitoring_url=given.get("CLOUD_MONITORING_URL"),
        functions_url=given.get("FUNCTIONS_URL"),
        invoker=given.get("INVOKER_SERVICE_ACCOUNT"),
        iap_audience=given.get("IAP_AUDIENCE"),
        deployed="K_SERVICE" in given,  # Cloud Run sets it
    )

"""The same job written straight with huggingface_hub and google-cloud-secret-manager: a fair baseline.

Settings read, token from Secret Manager, endpoint looked up and paused where it runs; blocking, without retries.
"""

import os
from pathlib import Path
from typing import Any

import functions_framework
import huggingface_hub
import yaml
from flask import Request
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import secretmanager
from huggingface_hub import HfApi

SETTINGS = yaml.safe_load(Path(os.environ["LIFECYCLE_CONFIG"]).read_text())
huggingface_hub.constants.INFERENCE_ENDPOINTS_ENDPOINT = os.environ["HF_ENDPOINTS_URL"]


def token() -> str:
    client = secretmanager.SecretManagerServiceClient(
        transport="rest",
        credentials=AnonymousCredentials(),
        client_options=ClientOptions(api_endpoint=os.environ["SECRET_MANAGER_URL"]),
    )
    return str(client.access_secret_version(name=os.environ["HF_TOKEN_SECRET"]).payload.data.decode())


@functions_framework.http
def pause(request: Request) -> dict[str, Any]:
    api, namespace = HfApi(token=token()), SETTINGS["namespace"]
    names = {SETTINGS["endpoints"][key].get("name", key) for key in request.get_json()["endpoints"]}
    results = {}
    for endpoint in api.list_inference_endpoints(namespace):
        if endpoint.name in names and endpoint.status != "paused":
            results[endpoint.name] = api.pause_inference_endpoint(endpoint.name, namespace=namespace).status
    return results

"""Google's Monitoring client speaks gRPC alone. This carries its requests to a server of the REST API and back, each
translated by the API's own JSON mapping, so that the client judges what the server says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import httpx
from google.cloud.monitoring_v3 import ListTimeSeriesRequest, ListTimeSeriesResponse, MetricServiceClient
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.protobuf.json_format import MessageToDict, Parse

CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    403: grpc.StatusCode.PERMISSION_DENIED,
    503: grpc.StatusCode.UNAVAILABLE,
}


@contextmanager
def monitoring_client(url: str) -> Iterator[MetricServiceClient]:
    def list_time_series(request: Any, context: Any) -> Any:
        fields = MessageToDict(ListTimeSeriesRequest.pb(request))
        response = httpx.get(f"{url}/v3/{fields.pop('name')}/timeSeries", params=list(_flat(fields)))
        if response.status_code != 200:
            context.abort(CODES[response.status_code], response.json()["error"]["message"])
        # Strict: a field that the API does not have is an error.
        return Parse(response.text, ListTimeSeriesResponse.pb(ListTimeSeriesResponse()))

    method = grpc.unary_unary_rpc_method_handler(
        list_time_series,
        request_deserializer=ListTimeSeriesRequest.deserialize,
        response_serializer=lambda message: message.SerializeToString(),
    )
    server = grpc.server(ThreadPoolExecutor(2))
    service = "google.monitoring.v3.MetricService"
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {"ListTimeSeries": method})])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))
    server.stop(None)


def _flat(fields: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A message as query parameters, as the API's HTTP annotation has it."""
    for key, value in fields.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield from ((prefix + key, str(one)) for one in (value if isinstance(value, list) else [value]))

"""`reconcile` as it is deployed, whose headers have what its process used."""

import resource
import time

import functions_framework
from flask import Request, Response

from lifecycle.web import handler
from main import APP


@functions_framework.http
def reconcile(request: Request) -> Response:
    """The function's answer, with the processor time of this call and the most memory of this process."""
    used = time.process_time()
    response = handler.serve(APP, "reconcile", request)
    response.headers["X-CPU-Seconds"] = str(time.process_time() - used)
    response.headers["X-Peak-Memory"] = str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return response

"""The functions framework's hello world: what any function costs."""

import functions_framework
from flask import Request


@functions_framework.http
def pause(_request: Request) -> str:
    return "hello"

"""Pauses, resumes and warms Hugging Face Inference Endpoints, so that they run when somebody needs them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.cli.hold import running

__all__ = ["running"]


def __getattr__(name: str) -> object:
    """`running`, imported when it is asked for: the deployed functions have no command line."""
    if name == "running":
        from lifecycle.cli.hold import running

        return running
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

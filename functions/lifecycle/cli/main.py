"""The command `lifecycle`. If FUNCTIONS_URL is set, it calls the deployed functions, otherwise Hugging Face directly.

Exit codes: 0 done, 1 something failed, 2 wrong use. A command's module is imported when the command is called.
"""

import sys
from importlib import import_module

import click

COMMANDS = {  # name: module, in the order in which `--help` lists them
    "init": "init",
    "check": "check",
    "plan": "plan",
    "status": "status",
    "explain": "explain",
    "pause": "actions",
    "resume": "actions",
    "warm": "actions",
    "release": "actions",
    "run": "run",
    "history": "history",
    "report": "report",
    "sync": "sync",
    "doctor": "doctor",
    "schema": "check",
}


class Commands(click.Group):
    def list_commands(self, _context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(import_module(f"lifecycle.cli.{COMMANDS[name]}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hf-endpoint-lifecycle", prog_name="lifecycle")
def main() -> None:
    """Pauses, resumes and warms Hugging Face Inference Endpoints.

    The settings are the file that LIFECYCLE_CONFIG names; else, in a checkout, lifecycle.yaml beside main.py; else
    ./lifecycle.yaml. A NAME is an entry of the settings, or an endpoint's name at Hugging Face; "*" means all.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows no "→" still gets the rest

"""The programs that a test's processes find."""

import os
import sys
from pathlib import Path

BIN = Path(sys.executable).parent  # of the environment that the tests run in


def path_without_gcloud(folder: Path) -> str:
    """This environment's programs and the machine's, with a gcloud that knows nobody: the machine's own takes a second
    for each command, and would hand out the token of whoever is logged in."""
    (folder / "gcloud").write_text("#!/bin/sh\nexit 1\n")
    (folder / "gcloud").chmod(0o755)
    return f"{folder}:{BIN}:{os.environ['PATH']}"

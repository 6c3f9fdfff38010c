"""The zip that Terraform makes, unpacked into an empty folder: with requirements.txt alone every function works."""

import ast
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from lifecycle.engine.service import FUNCTIONS
from local.servers.endpoints import Durations
from support.processes import Deployment
from support.programs import BIN
from terraform.running import ROOT, Made

QUICK = Durations(pending=0, resume=0.3, wake=0.3, update=0.2, load=0.2)

LIBRARY = "functions/lifecycle/__init__.py"  # `from lifecycle import running`


@pytest.fixture(scope="module")
def unpacked(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip with the files and contents that Terraform's archive_file is given, unpacked."""
    folder = tmp_path_factory.mktemp("source")
    packed = folder / "source.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(made.values["data.archive_file.source"]["source"], key=lambda file: file["filename"]):
            archive.writestr(file["filename"], file["content"])
    print(f"{packed.stat().st_size} bytes in {len(zipfile.ZipFile(packed).namelist())} files")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder / "workspace")
    return folder / "workspace"


@pytest.fixture(scope="module")
def deployed(unpacked: Path) -> Iterator[Deployment]:
    """Every function in a process of its own, in a virtual environment with the zip's requirements and nothing else."""
    environment = unpacked.parent / "venv"
    python, uv = str(environment / "bin" / "python"), str(BIN / "uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes"]
    subprocess.run([*install, "--requirement", str(unpacked / "requirements.txt")], check=True, capture_output=True)
    logs = unpacked.parent / "logs"
    logs.mkdir()
    with ExitStack() as stack:
        made = Deployment(logs, stack, python=python, main=unpacked / "functions" / "main.py")
        settings = (unpacked / "functions" / "lifecycle.yaml").read_text()
        made.start(settings, *FUNCTIONS, LIFECYCLE_CONFIG="", LOG_EXECUTION_ID="false", K_SERVICE="lifecycle")
        made.hub.add("embeddings-prod", "paused", durations=QUICK)
        yield made


def test_it_is_the_package_without_the_command_line(unpacked: Path) -> None:
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    package = ROOT / "functions" / "lifecycle"
    rooms = {path for kind in ("py", "html", "css") for path in package.rglob(f"*.{kind}")} - {
        *(package / "cli").rglob("*")
    }
    assert found == {path.relative_to(ROOT).as_posix() for path in rooms} | {
        "requirements.txt",
        "functions/main.py",
        "functions/lifecycle.yaml",
    }


def test_everything_that_runs_is_in_it(unpacked: Path) -> None:
    needed = reached(ROOT / "functions")
    assert needed
    assert {path for path in needed if not (unpacked / path).is_file()} == set()


def reached(functions: Path) -> set[str]:
    """The modules of the package that main.py imports, and those that they import, inside functions too; what
    `LIBRARY` imports on demand is for programs that are not deployed."""
    found: set[str] = set()
    ahead = [functions / "main.py"]
    while ahead:
        for node in ast.walk(ast.parse(ahead.pop().read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == "lifecycle":
                for path in _files(functions, node) - found:
                    found.add(path)
                    if path != LIBRARY:
                        ahead.append(functions.parent / path)
    return found


def _files(functions: Path, node: ast.ImportFrom) -> set[str]:
    """The files that an import runs: the modules, and the packages that they lie in."""
    module = functions.joinpath(*(node.module or "").split("."))
    modules = [module.with_suffix(".py"), *(module / f"{alias.name}.py" for alias in node.names)]
    packages = [folder / "__init__.py" for folder in (module, *module.parents) if folder.is_relative_to(functions)]
    return {path.relative_to(functions.parent).as_posix() for path in (*modules, *packages) if path.is_file()}


def test_everything_in_it_is_as_in_the_repository(unpacked: Path) -> None:
    for path in filter(Path.is_file, unpacked.rglob("*")):
        assert path.read_bytes() == (ROOT / path.relative_to(unpacked)).read_bytes()


def test_its_byte_code_is_valid_in_an_image_whose_files_have_another_time(unpacked: Path, made: Made) -> None:
    build = made.values['google_cloudfunctions2_function.this["pause"]']["build_config"][0]["environment_variables"]
    compiled = unpacked.parent / "compiled"
    shutil.copytree(unpacked, compiled, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "compileall", "-f", "-q", "."]  # as the buildpack of functions-framework does
    subprocess.run(command, cwd=compiled, env=build, check=True)
    flags = {path.name: int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled.rglob("*.pyc")}
    assert flags
    assert {name for name, flag in flags.items() if not flag & 1} == set()  # PEP 552: by hash


@pytest.mark.parametrize("function", ["pause", "resume", "warm", "reconcile"])
def test_what_changes_endpoints_answers(deployed: Deployment, function: str) -> None:
    response = deployed.ask(function, {"endpoints": ["embeddings"]})
    assert response.status_code in (200, 202)
    assert [result["name"] for result in response.json()["results"]] == ["embeddings-prod"]


def test_platform_event_answers(deployed: Deployment) -> None:
    message = {
        "attributes": {"platform": "main", "event": "stopped"},
        "messageId": "1",
        "publishTime": "2026-11-23T07:00:00Z",
    }
    assert deployed.ask("platform_event", {"message": message, "subscription": "s"}).status_code == 200


def test_status_answers(deployed: Deployment) -> None:
    assert {row["name"] for row in deployed.status()["endpoints"]} == {"embeddings-prod"}


def test_the_page_is_served(deployed: Deployment) -> None:
    response = httpx.get(deployed.urls["console"], timeout=20)
    assert response.headers["content-type"].startswith("text/html")
    assert "embeddings-prod" in response.text

"""The environment's variables: what they mean, their defaults, and every mistake at once."""

import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle.config import environment
from lifecycle.config.schema import Invalid
from support.files import FUNCTIONS
from support.secret import TOKEN


def refused(**variables: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        environment.read(variables)
    return [str(problem) for problem in caught.value.problems]


def test_nothing_needs_to_be_set() -> None:
    found = environment.read({})
    assert found.config == FUNCTIONS / "lifecycle.yaml"
    assert found.endpoints_url == "https://api.endpoints.huggingface.cloud/v2"
    assert found.prefix == "lifecycle"


@pytest.mark.parametrize("folder", ["site-packages", "target"])
def test_an_installed_package_reads_the_settings_of_the_current_folder(tmp_path: Path, folder: str) -> None:
    installed = tmp_path / folder
    installed.mkdir()
    (installed / "lifecycle").symlink_to(FUNCTIONS / "lifecycle")
    if folder == "site-packages":
        (installed / "main.py").touch()  # another package's
    program = "from lifecycle.config import environment; print(environment.read({}).config)"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "lifecycle.yaml\n"


def test_what_is_not_set_and_has_no_default_is_none() -> None:
    found = environment.read({})
    assert {found.token, found.token_secret, found.scheduler_parent, found.functions_url, found.invoker} == {None}
    assert {found.scheduler_url, found.secrets_url} == {None}


def test_every_variable_is_read() -> None:
    found = environment.read(
        {
            "LIFECYCLE_CONFIG": "/etc/lifecycle.yaml",
            "HF_TOKEN_SECRET": "projects/p/secrets/s/versions/latest",
            "HF_TOKEN": TOKEN,
            "HF_ENDPOINTS_URL": "http://127.0.0.1:8081/v2/",
            "SCHEDULER_PARENT": "projects/p/locations/europe-west1",
            "JOB_PREFIX": "staging",
            "CLOUD_SCHEDULER_URL": "http://localhost:8082",
            "SECRET_MANAGER_URL": "http://[::1]:8083",
            "FUNCTIONS_URL": "https://europe-west1-p.cloudfunctions.net/lifecycle-{name}",
            "INVOKER_SERVICE_ACCOUNT": "invoker@p.iam.gserviceaccount.com",
            "HOME": "/root",
        }
    )
    assert (found.config, found.token, found.prefix) == (Path("/etc/lifecycle.yaml"), TOKEN, "staging")
    assert (found.token_secret, found.endpoints_url) == (
        "projects/p/secrets/s/versions/latest",
        "http://127.0.0.1:8081/v2",
    )
    assert (found.scheduler_parent, found.scheduler_url) == (
        "projects/p/locations/europe-west1",
        "http://localhost:8082",
    )
    assert (found.secrets_url, found.invoker) == ("http://[::1]:8083", "invoker@p.iam.gserviceaccount.com")


def test_an_empty_variable_is_not_set() -> None:
    names = ("LIFECYCLE_CONFIG", "HF_TOKEN_SECRET", "HF_TOKEN", "HF_ENDPOINTS_URL", "SCHEDULER_PARENT", "JOB_PREFIX")
    assert environment.read(dict.fromkeys(names, "")) == environment.read({})


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("https://europe-west1-p.cloudfunctions.net/lifecycle-{name}", "https://europe-west1-p.cloudfunctions.net/lifecycle-pause"),
        ("https://{name}-abc.a.run.app", "https://pause-abc.a.run.app"),
        ("http://127.0.0.1:8080/{name}", "http://127.0.0.1:8080/pause"),
    ],
)  # fmt: skip
def test_the_functions_name_takes_its_place_in_their_url(template: str, url: str) -> None:
    assert environment.read({"FUNCTIONS_URL": template}).function_url("pause") == url


@pytest.mark.parametrize(
    ("variables", "project"),
    [
        ({"SCHEDULER_PARENT": "projects/p/locations/europe-west1"}, "p"),
        ({"HF_TOKEN_SECRET": "projects/q/secrets/s/versions/3"}, "q"),
        ({}, None),
    ],
)
def test_the_project_is_known_from_what_is_in_it(variables: dict[str, str], project: str | None) -> None:
    assert environment.read(variables).project == project


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("HF_TOKEN_SECRET", "my-secret"), ("HF_TOKEN_SECRET", "projects/p/secrets/s")],
        ("HF_TOKEN_SECRET", "projects/p/secrets/s/versions/"),
        ("HF_TOKEN_SECRET", "projects/p/secrets/s/versions/1\n"),
        *[("SCHEDULER_PARENT", "p/europe-west1"), ("SCHEDULER_PARENT", "projects/p/locations/l/jobs/j")],
        *[("JOB_PREFIX", "a.b"), ("JOB_PREFIX", "a b"), ("JOB_PREFIX", "a/b"), ("JOB_PREFIX", "ä")],
        *((url, value) for url in ("HF_ENDPOINTS_URL", "CLOUD_SCHEDULER_URL", "SECRET_MANAGER_URL", "FUNCTIONS_URL")
          for value in ("api.example", "http://api.example", "ftp://127.0.0.1/", "https://", "http://127.0.0.1.evil.example/",
                        "http://localhost.evil.example", "http://localhost@evil.example", "https://user@evil.example")),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_refused_by_name(name: str, value: str) -> None:
    (line,) = refused(**{name: value})
    assert line.startswith(f"{name}: ")


def test_everything_that_is_wrong_is_reported_at_once() -> None:
    lines = refused(HF_TOKEN_SECRET="x", SCHEDULER_PARENT="y", JOB_PREFIX="z!")
    assert [line.partition(":")[0] for line in lines] == ["HF_TOKEN_SECRET", "SCHEDULER_PARENT", "JOB_PREFIX"]


def test_a_refusal_does_not_say_the_token() -> None:
    assert TOKEN not in "".join(refused(HF_TOKEN=TOKEN, JOB_PREFIX="!"))


def test_the_token_is_not_in_what_python_shows_of_the_environment() -> None:
    assert TOKEN not in repr(environment.read({"HF_TOKEN": TOKEN}))

"""The jobs that `sync` makes and what Terraform makes agree."""

import re
from pathlib import Path

from lifecycle.app import read_settings
from lifecycle.cli import desired_jobs as timetable
from lifecycle.cli.desired_jobs import Target
from lifecycle.config import environment, settings
from lifecycle.gcp.jobs import Job
from lifecycle.web import pubsub as events
from terraform.running import ROOT, Made


def jobs(made: Made) -> list[Job]:
    """What `sync` makes with the environment that Terraform hands it."""
    env = environment.read(made.outputs["environment"])
    target = Target(env.functions_url or "", env.invoker or "", env.prefix)
    return timetable.jobs(settings.parse((ROOT / env.config).read_bytes()), target)


def test_jobs_call_the_functions_that_terraform_made(made: Made) -> None:
    urls = {made.outputs["function_urls"][name] for name in timetable.DEADLINE}
    assert {job.url for job in jobs(made)} <= urls
    assert made.outputs["function_urls"]["reconcile"] in {job.url for job in jobs(made)}


def test_each_jobs_audience_is_the_function_that_it_calls(made: Made) -> None:
    assert all(job.audience == job.url for job in jobs(made))


def test_jobs_carry_the_account_that_may_invoke(made: Made) -> None:
    invoker = made.values["google_service_account.invoker"]
    assert {job.account for job in jobs(made)} == {invoker["email"]}
    for name in timetable.DEADLINE:
        binding = made.values[f'google_cloud_run_v2_service_iam_binding.invoker["{name}"]']
        assert invoker["member"] in binding["members"]


def test_a_jobs_attempt_lasts_longer_than_its_function(made: Made) -> None:
    for name, deadline in timetable.DEADLINE.items():
        function = made.values[f'google_cloudfunctions2_function.this["{name}"]']
        assert deadline == function["service_config"][0]["timeout_seconds"] + 30


def test_functions_and_sync_get_the_same(made: Made) -> None:
    reported = {name: value for name, value in made.outputs["environment"].items() if name != "LIFECYCLE_CONFIG"}
    for name in made.outputs["function_urls"]:
        function = made.values[f'google_cloudfunctions2_function.this["{name}"]']
        given = function["service_config"][0]["environment_variables"]
        assert reported.items() <= given.items()
        assert (
            environment.read(given).token_secret == "projects/acme-ml-prod/secrets/lifecycle-hf-token/versions/latest"
        )


def test_the_settings_that_sync_reads_are_those_that_are_deployed(made: Made) -> None:
    env = environment.read(made.outputs["environment"] | {"LIFECYCLE_CONFIG": ""})
    deployed = {one["filename"]: one["content"] for one in made.values["data.archive_file.source"]["source"]}
    path = made.outputs["environment"]["LIFECYCLE_CONFIG"]
    assert deployed["functions/lifecycle.yaml"] == (ROOT / path).read_text()
    assert read_settings(env).sha256 == settings.parse(deployed["functions/lifecycle.yaml"].encode()).sha256


def test_a_vms_log_entries_that_the_sink_hands_over_are_those_that_are_understood(made: Made) -> None:
    chosen = re.search(
        r"compute\\.instances\\.\(([a-zA-Z|]+)\)", made.values["google_logging_project_sink.vms[0]"]["filter"]
    )
    assert chosen
    assert set(chosen[1].split("|")) == set(events.VM_METHODS)


def test_functions_read_the_token_from_where_it_is_mounted(everything: Made) -> None:
    for name in everything.outputs["function_urls"]:
        given = everything.values[f'google_cloudfunctions2_function.this["{name}"]']["service_config"][0]
        volume = given["secret_volumes"][0]
        env = environment.read(given["environment_variables"])
        assert env.token_file == Path(volume["mount_path"], volume["versions"][0]["path"])
        assert env.token_secret is None


def test_the_page_knows_for_whom_assertions_are(everything: Made) -> None:
    container = everything.values["google_cloud_run_v2_service.page[0]"]["template"][0]["containers"][0]
    env = environment.read({one["name"]: one["value"] for one in container["env"]})
    assert env.iap_audience == "/projects/123456789012/locations/europe-west1/services/staging-page"
    assert env.token_file == Path(container["volume_mounts"][0]["mount_path"], "hf-token")

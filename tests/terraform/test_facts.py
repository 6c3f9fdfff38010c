"""Every fact of infra/tests is broken on purpose, one at a time: `terraform test` then fails, and names it."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from terraform.running import copied, terraform

CORES = 2


@dataclass(frozen=True)
class Fact:
    """A text in `file`, how it is broken, and the words with which the run of infra/tests then fails."""

    run: str
    file: str
    original: str
    broken: str
    shown: str


def facts(run: str, file: str, *rows: tuple[str, str, str]) -> list[Fact]:
    return [Fact(run, file, *row) for row in rows]


CALLERS = "only_those_who_should_may_call"
PAGE = "the_page_is_behind_the_proxy"
LEAST = "each_account_has_the_least"
DEPLOY = "a_deployment_cannot_change_rights"
LIMITS = "functions_have_their_limits"
NETWORK = "companies_choose_who_reaches_the_functions_over_the_network"
KEY = "companies_bring_their_own_key"
MOUNTED = "the_token_is_mounted_where_that_is_asked_for"
REGIONS = "jobs_may_be_in_another_region_than_the_functions"
KEPT = "what_cannot_be_made_again_is_not_destroyed"
MESSAGES = "messages_are_ordered_kept_and_never_lost"
STRANGERS = "strangers_cannot_be_let_in"
NAMES = "another_environment_has_names_of_its_own"
LINKS = "a_link_in_an_alert_opens_its_lines"
ALERTS = "there_is_an_alert_for_everything_that_needs_a_person"
TIMES = "times_follow_from_reconcile_every"
FACTS = [
    *facts(
        CALLERS,
        "iam.tf",
        ("members  = each.value", 'members  = ["allUsers"]', "jobs' account and people alone"),
        ("pause          = concat(", 'pause = concat(["allAuthenticatedUsers"], ', "jobs' account and people alone"),
        ("status         = var.people", 'status = ["allUsers"]', "status is for people alone"),
        ("console        = var.people", 'console = ["allUsers"]', "console is for people alone"),
        ("[google_service_account.push.member]", "var.people", "for the push account alone"),
        ('"roles/run.invoker"', '"roles/run.admin"', "may invoke their function, and nothing else"),
        ('"roles/run.viewer"', '"roles/run.admin"', "may look up the page's service"),
    ),
    *facts(CALLERS, "functions.tf", ('"ALLOW_INTERNAL_ONLY"', '"ALLOW_ALL"', "from inside Google Cloud alone")),
    *facts(
        PAGE,
        "page.tf",
        ("iap_enabled          = true", "iap_enabled = false", "guard the page"),
        ("invoker_iam_disabled = false", "invoker_iam_disabled = true", "guard the page"),
        ("[local.iap_agent]", '["allUsers"]', "The proxy alone calls"),
        ("members                = var.people", 'members = ["allUsers"]', "People alone pass the proxy"),
        ("google_service_account.runtime.email", "null", "runs as the functions do"),
        ("containers[0].base_image_uri", "containers[0].image", "on its base image"),
        ("IAP_AUDIENCE = ", "AUDIENCE = ", "whom the proxy's assertions are for"),
    ),
    *facts(
        LEAST,
        "secret.tf",
        ("[google_service_account.runtime.member]", "var.people", "The functions alone read the token"),
        ("secretAccessor", "admin", "The functions alone read the token"),
    ),
    *facts(
        LEAST,
        "accounts.tf",
        ('"cloudscheduler.jobs.run",', '"cloudscheduler.jobs.run",\n"run.jobs.run",', "exactly the verbs"),
        ("= google_project_iam_custom_role.jobs.id", '= "roles/editor"', "has the role for jobs"),
        ("google_service_account.invoker.name", "google_service_account.runtime.name", "act as the jobs' account"),
        ("], local.deploy_members)", "], var.people)", "act as the jobs' account"),
        ("gcf-v2-sources-", "", "the copies of the source alone"),
    ),
    *facts(
        LEAST,
        "functions.tf",
        ("google_service_account.runtime.email", "null", "as the Compute default account"),
        ("google_service_account.build.name", "null", "as the Compute default account"),
    ),
    *facts(LEAST, "pubsub.tf", ("members = local.publishers", 'members = ["allUsers"]', "that a platform stopped")),
    *facts(
        LEAST,
        "source.tf",
        ('"enforced"', '"inherited"', "cannot be made public"),
        ("bucket_level_access = true", "bucket_level_access = false", "cannot be made public"),
    ),
    *facts(
        DEPLOY,
        "deploy.tf",
        ("= google_project_iam_custom_role.deploy[0].id", '= "roles/editor"', "has its own role"),
        ('"cloudfunctions.functions.update",', '"run.routes.invoke",', "calls nothing"),
        ('"iam.roles.get"', '"iam.roles.update"', "changes no right"),
        ("roles/storage.objectUser", "roles/storage.admin", "cannot change a bucket"),
        ("    build   = google_service_account.build.name\n", "", "It acts as"),
    ),
    *facts(
        LIMITS,
        "main.tf",
        ("warm           = { timeout = 540 }", "warm = {}", "those of the design"),
        ("concurrency = 1, ", "", "one message at a time"),
        (", instances = 1", "", "one message at a time"),
    ),
    *facts(
        LIMITS,
        "variables.tf",
        ('default     = "python314"', 'default = "python311"', "newest that is supported"),
        ("default     = 3\n", "default = 20\n", "instances without end"),
    ),
    *facts(
        LIMITS,
        "functions.tf",
        ('"functions/main.py"', '"main.py"', "its own entry point"),
    ),
    *facts(
        LIMITS,
        "main.tf",
        ("${google_secret_manager_secret.token.id}", "projects/p/secrets/s", "comes from the secret"),
        ('LOG_EXECUTION_ID        = "false"', 'LOG_EXECUTION_ID = "true"', "does not rewrite log lines"),
    ),
    *facts(
        NETWORK,
        "functions.tf",
        (": var.ingress", ': "ALLOW_ALL"', "from where `ingress` says"),
        ('"platform_event" ?', '"none" ?', "from inside alone"),
    ),
    *facts(NETWORK, "page.tf", ("local.page_ingress[var.ingress]", '"INGRESS_TRAFFIC_ALL"', "from there, too")),
    *facts(
        KEY,
        "secret.tf",
        ("kms_key_name = customer_managed_encryption.value", 'kms_key_name = "other"', "encrypts the secret"),
    ),
    *facts(KEY, "pubsub.tf", ("kms_key_name = var.kms_key", "", "encrypts the secret, the topics")),
    *facts(KEY, "source.tf", ("kms_key_name  = var.kms_key", "", "and the images")),
    *facts(
        KEY,
        "keys.tf",
        ("secret = local.secret_agent", "secret = local.pubsub_agent", "own account uses the key"),
        ("cryptoKeyEncrypterDecrypter", "admin", "and nothing else"),
    ),
    *facts(
        MOUNTED,
        "functions.tf",
        ("path    = local.token_file", 'path = "other"', "read the mounted version"),
        ("= google_secret_manager_secret.token.secret_id", '= "other"', "read the mounted version"),
    ),
    *facts(MOUNTED, "page.tf", ("path    = local.token_file", 'path = "other"', "The page reads the same version")),
    *facts(
        REGIONS,
        "main.tf",
        ("locations/${local.scheduler_region}", "locations/${var.region}", "where Cloud Scheduler is"),
    ),
    *facts(KEPT, "secret.tf", ("= var.deletion_protection", "= false", "not replaced or destroyed by accident")),
    *facts(KEPT, "source.tf", ("age            = 7", "age = 700", "go after a week")),
    *facts(
        MESSAGES,
        "pubsub.tf",
        ("enable_message_ordering    = true", "enable_message_ordering = false", "come in order"),
        ("ack_deadline_seconds       = 90", "ack_deadline_seconds = 10", "has its time"),
        ('"120s"', '"600s"', "with patience"),
        ('ttl = ""', 'ttl = "2678400s"', "never expire"),
        ("dead_letter_topic     = google_pubsub_topic.dead_letters.id", 'dead_letter_topic = ""', "has a subscription"),
        ('push_endpoint = local.function_urls["platform_event"]', 'push_endpoint = ""', "calls platform_event"),
        ('audience              = local.function_urls["platform_event"]', 'audience = ""', "audience is"),
        ("google_service_account.push.email", "google_service_account.runtime.email", "as the push account"),
        ("topic   = google_pubsub_topic.dead_letters.name", 'topic = "x"', "publishes dead letters"),
        ("roles/pubsub.subscriber", "roles/pubsub.viewer", "takes them off"),
    ),
    *facts(
        STRANGERS,
        "variables.tf",
        ("for member in var.people : can(", "for member in var.people : true || can(", "Missing expected failure"),
        (
            "for member in var.publishers : can(",
            "for member in var.publishers : true || can(",
            "Missing expected failure",
        ),
    ),
    *facts(NAMES, "secret.tf", ('"${var.prefix}-hf-token"', '"hf-token"', "share no name")),
    *facts(
        ALERTS,
        "monitoring.tf",
        ("      dead-letters = {", "      dead-letter = {", "those of docs/operations.md"),
        ("notification_channels = local.channels", "notification_channels = []", "reaches somebody"),
        ('renotify_interval          = "86400s"', "", "once a day while it lasts"),
        ('by = ["metric.label.name"]', "by = []", "counted for each endpoint"),
        ('=~\\"^${var.prefix}-(', '=~\\"(', "of this environment alone"),
    ),
    *facts(
        LINKS,
        "monitoring.tf",
        ('replace(urlencode(each.value.lines), "+", "%20")', "urlencode(each.value.lines)", "as a plus"),
    ),
    *facts(
        TIMES,
        "monitoring.tf",
        ("3 * local.run_interval + 600", "3 * local.run_interval", "Three runs"),
        ("ceil(1800 / local.run_interval)", "0", "thirty minutes"),
        ("ceil(86400 / local.run_interval)", "0", "the runs of a day"),
    ),
]


def broken(fact: Fact, folder: Path) -> str:
    """What `terraform test` says of a copy in which the fact is broken; "passed" when it does not notice."""
    infra = copied(folder)
    path = infra / fact.file
    text = path.read_text()
    assert fact.original in text, f"{fact.file} no longer says {fact.original}"
    path.write_text(text.replace(fact.original, fact.broken))
    for test in (infra / "tests").iterdir():
        head, *runs = test.read_text().split("\nrun ")
        test.write_text("\nrun ".join([head, *(run for run in runs if run.startswith(f'"{fact.run}"'))]))
    ran = terraform(infra, "test", "-no-color")
    return ran.stdout + ran.stderr if ran.returncode else "passed"


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Fact, Future[str]]]:
    """What becomes of each fact of the tests that were asked for, several at once."""
    asked = [item.callspec.params["fact"] for item in request.session.items if "outcomes" in item.fixturenames]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(CORES) as pool:
        yield {fact: pool.submit(broken, fact, tmp_path_factory.mktemp("broken")) for fact in asked}


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.file}: {fact.original} -> {fact.broken}")
def test_a_broken_fact_is_noticed_and_named(outcomes: dict[Fact, Future[str]], fact: Fact) -> None:
    assert fact.shown in " ".join(outcomes[fact].result().split())

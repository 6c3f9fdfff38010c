"""What every test is held to: the token is in no output."""

from collections.abc import Generator

import pytest

from support.secret import TOKEN


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Looks through all that a test printed and logged, and fails it where the token is there."""
    report = yield
    shown = [title for title, text in report.sections if TOKEN in text]
    if shown and report.passed:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: the token is in {', '.join(shown)}"
    return report

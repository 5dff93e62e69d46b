"""The words of what the watch finds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.driftwatch.watch.findings import late, one_of_each

from driftwatch.view.alerts import alert_text
from driftwatch.watch.findings import FINDINGS

SUBJECTS = {
    "late_day": "4 days without a verdict: 2026-01-15 to 2026-01-17 and 2026-01-19",
    "dag_paused": "demo_monitoring and demo_retraining are paused",
    "file_refused": "1 monitor file refused: demo.yaml",
    "champion_missing": "There is no champion that could judge a day",
    "spend_near_limit": "Labels of 2026-01 take 250.50 of 300.00 USD, 83.5 %",
    "pool_unanswered": "Nobody has answered in the pool of 2026-01-20",
    "storage_not_writable": "The storage s3://bucket/demo cannot be written",
    "reference_old": "Days are compared with the reference of v0003-1a2b3c4d since 2025-01-20 or longer",
}


def test_every_kind_has_words():
    assert {finding.kind for finding in one_of_each()} == {each.kind for each in FINDINGS} == set(SUBJECTS)


@pytest.mark.parametrize("finding", one_of_each(), ids=lambda finding: finding.kind)
def test_a_finding_says_what_since_when_and_what_to_do(finding):
    subject, message = alert_text("demo", finding, {"Monitor page": "https://a/driftwatch/m/demo/"})
    assert subject == f"[demo] {SUBJECTS[finding.kind]}"
    assert "  since: 2026-01-20 12:00 UTC" in message
    assert "What to do: " in message
    assert 1 <= sum(line.startswith("  ") for line in message.splitlines()) <= 3
    assert "None" not in message
    again, _ = alert_text("demo", replace(finding, event="reminder", reminder=1), {})
    assert again == f"[demo] Still so: {SUBJECTS[finding.kind]}"


@pytest.mark.parametrize("kind", FINDINGS, ids=lambda kind: kind.kind)
def test_the_end_of_a_finding_says_that_nothing_is_to_be_done(kind):
    subject, message = alert_text("demo", kind(since=late((15, True)).since, event="closed"), {})
    assert subject.startswith(("[demo] No ", "[demo] The", "[demo] There is a"))
    assert "What to do: nothing." in message
    assert "None" not in message


def test_late_days_are_told_apart_by_whether_they_began():
    _, message = alert_text("demo", one_of_each()[0], {})
    assert "  never began: 2026-01-15 to 2026-01-16 and 2026-01-19" in message
    assert "  began: 2026-01-17" in message
    assert "due 60 hours after the day's end" in message

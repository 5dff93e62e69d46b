"""Alerts reach the notifiers that the monitor file names, and a notifier that fails is never silent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from driftwatch.config import NotifierConfig
from driftwatch.monitor_files import load_monitor
from driftwatch_airflow.alerts import send_alert

SENT: list[tuple[str, str]] = []
FACTS = {"day": "2026-11-20", "reason": "nothing in the folder"}


class Mailbox(BaseNotifier):
    """Keeps what it is sent."""

    template_fields: Sequence[str] = ("subject", "text")

    def __init__(self, subject: str, text: str) -> None:
        super().__init__()
        self.subject, self.text = subject, text

    def notify(self, context: Any) -> None:
        SENT.append((self.subject, self.text))


class Broken(BaseNotifier):
    """A mail server that is down."""

    def notify(self, context: Any) -> None:
        raise ConnectionError("no mail server")


def entry(name: str, *kinds: str, **arguments: str) -> NotifierConfig:
    return NotifierConfig(notifier=f"{__name__}.{name}", arguments=arguments, on=kinds or ("empty_day",))


@pytest.fixture
def monitor(root: Path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__(__name__))
    SENT.clear()
    loaded = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    return lambda *entries: loaded.model_copy(update={"notifiers": entries})


MAIL = {"subject": "{{ alert.subject }}", "text": "{{ alert.kind }} {{ alert.day }} {{ alert.message }}"}


def test_a_notifier_gets_the_alerts_that_it_is_for_with_its_templates_rendered(monitor):
    send_alert({}, monitor(entry("Mailbox", **MAIL)), "empty_day", FACTS)
    ((subject, text),) = SENT
    assert subject == "[cats_vs_dogs 2026-11-20] No image arrived"
    assert text.startswith("empty_day 2026-11-20 No image arrived.")
    assert "What to do:" in text


def test_other_kinds_are_not_sent(monitor):
    send_alert({}, monitor(entry("Mailbox", "drift", **MAIL)), "empty_day", FACTS)
    assert SENT == []


def test_a_notifier_that_fails_keeps_no_other_from_being_told_and_fails_the_task(monitor):
    with pytest.raises(ConnectionError, match="no mail server"):
        send_alert({}, monitor(entry("Broken"), entry("Mailbox", **MAIL)), "empty_day", FACTS)
    assert len(SENT) == 1


def test_the_message_leads_to_the_days_page_and_the_run_where_airflow_says_where_it_is(monitor, monkeypatch):
    from types import SimpleNamespace

    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/ops/")
    context = {"dag_run": SimpleNamespace(dag_id="cats_vs_dogs_monitoring", run_id="manual__1+00:00")}
    facts = {**FACTS, "links": {"Toloka pool": "https://toloka.example/pool/7"}}
    message = send_alert(context, monitor(), "empty_day", facts).message
    assert message.splitlines()[-3:] == [
        "Monitor page: https://airflow.example/ops/driftwatch/m/cats_vs_dogs/days/2026-11-20/",
        "Airflow run: https://airflow.example/ops/dags/cats_vs_dogs_monitoring/runs/manual__1%2B00%3A00",
        "Toloka pool: https://toloka.example/pool/7",
    ]
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    assert "Airflow run" not in send_alert(context, monitor(), "empty_day", FACTS).message

"""Alerts wait in the outbox until a step of its own tells them to the notifiers that the monitor file names."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import BaseNotifier

from driftwatch.artifacts.alerts import ModelRolledBack, NoImages
from driftwatch.config import NotifierConfig
from driftwatch.config.loader import load_monitor
from driftwatch_airflow import alerts
from driftwatch_airflow.alerts import NotTold, outbox_of, safe_to_tell, send_alert, tell

SENT: list[tuple[str, str]] = []
DAY = "2026-11-20"
EMPTY = NoImages(date.fromisoformat(DAY), "nothing in the folder")


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
        raise ConnectionError("no mail server at smtp://ops:hunter2@mail.example")


class Hanging(BaseNotifier):
    """A mail server that never answers."""

    def notify(self, context: Any) -> None:
        import time

        time.sleep(30)


def entry(name: str, *kinds: str, **arguments: str) -> NotifierConfig:
    path = name if "." in name else f"{__name__}.{name}"
    return NotifierConfig(notifier=path, arguments=arguments, on=kinds or ("empty_day",))


@pytest.fixture
def monitor(root: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or __import__(__name__))
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    SENT.clear()
    loaded = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    return lambda *entries: loaded.model_copy(update={"notifiers": entries})


def tell_day(monitor: Any, *kinds: str) -> list[str]:
    return tell({}, monitor, outbox_of(monitor, day=DAY), kinds or ("empty_day",))


MAIL = {"subject": "{{ alert.subject }}", "text": "{{ alert.kind }} {{ alert.day }} {{ alert.message | e }}"}


def test_a_notifier_gets_the_alerts_that_it_is_for_with_its_templates_rendered(monitor):
    mail = monitor(entry("Mailbox", **MAIL))
    send_alert({}, mail, replace(EMPTY, reason="no <b> & c"))
    assert SENT == []
    tell_day(mail)
    ((subject, text),) = SENT
    assert subject == "[cats_vs_dogs 2026-11-20] No image arrived"
    assert text.startswith("empty_day 2026-11-20 No image arrived.")
    assert "What to do:" in text
    assert "no &lt;b&gt; &amp; c" in text


def test_other_kinds_are_not_sent_neither_by_the_notifier_nor_by_the_step(monitor):
    for one, kinds in (
        (monitor(entry("Mailbox", "drift", **MAIL)), ()),
        (monitor(entry("Mailbox", **MAIL)), ("drift",)),
    ):
        send_alert({}, one, EMPTY)
        tell_day(one, *kinds)
    assert SENT == []


def test_what_is_told_twice_is_sent_once_and_a_notifier_that_comes_later_gets_it_too(monitor):
    mail, other = entry("Mailbox", **MAIL), entry("Mailbox", subject="other", text="")
    for notifiers in ((mail,), (mail,), (mail, other)):
        send_alert({}, monitor(*notifiers), EMPTY)
        tell_day(monitor(*notifiers))
    assert [subject for subject, _ in SENT] == ["[cats_vs_dogs 2026-11-20] No image arrived", "other"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (entry("Broken"), "ConnectionError: no mail server"),
        (entry("Mailbox", sbject="typo"), "TypeError"),
        (entry("no_such_package.Mail"), "No module named 'no_such_package'"),
        (entry("Mailbox", subject="{{ alert.sbject.x }}", text=""), "UndefinedError"),
        (entry("airflow.providers.smtp.notifications.smtp.SmtpNotifier", to="a@x.org"), "SMTP connection is not found"),
        (entry("Hanging"), "no answer within"),
    ],
    ids=["down", "arguments", "import", "template", "connection", "hanging"],
)
def test_a_notifier_that_fails_keeps_no_other_from_being_told_and_who_was_told_is_not_told_again(
    monitor, monkeypatch, bad, said
):
    monkeypatch.setattr(alerts, "NOTIFIER_SECONDS", 0.3 if bad.notifier.endswith("Hanging") else 20)
    both = monitor(bad, entry("Mailbox", **MAIL))
    send_alert({}, both, EMPTY)
    for _ in range(3):  # as the task is tried again
        with pytest.raises(NotTold, match="1 of the messages could not be told") as caught:
            tell_day(both)
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert len(SENT) == 1
    tell_day(monitor(entry("Mailbox", subject="put right", text=""), entry("Mailbox", **MAIL)))
    assert [subject for subject, _ in SENT][1:] == ["put right"]


def test_a_notifier_decides_nothing_for_the_step_that_has_the_alert(monitor):
    assert send_alert({}, monitor(entry("Broken")), EMPTY).kind == "empty_day"


def test_secrets_are_taken_out_of_reasons():
    from airflow.sdk.log import mask_secret

    mask_secret("s3cret-of-a-connection")
    text = (
        "refused b'OAuth AQAD-1234567890' and Bearer abc.def.ghi-123 at https://me:pw1234@host/x?X-Amz-Signature=deadbeef"
        "&X-Amz-Credential=AKIA&n=1 with s3cret-of-a-connection"
    )
    assert safe_to_tell(text) == (
        "refused b'OAuth ***' and Bearer *** at https://me:***@host/x?X-Amz-Signature=***&X-Amz-Credential=***&n=1 with ***"
    )
    plain = "the token of toloka_default was refused: Basic settings, see http://a.example/b"
    assert safe_to_tell(plain) == plain


def test_the_message_leads_to_the_days_page_and_the_run_where_airflow_says_where_it_is(monitor, monkeypatch):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/ops/")
    context = {"dag_run": SimpleNamespace(dag_id="cats_vs_dogs_monitoring", run_id="manual__1+00:00")}
    message = send_alert(context, monitor(), EMPTY, {"Toloka pool": "https://toloka.example/pool/7"}).message
    assert message.splitlines()[-3:] == [
        "Monitor page: https://airflow.example/ops/driftwatch/m/cats_vs_dogs/days/2026-11-20/",
        "Airflow run: https://airflow.example/ops/dags/cats_vs_dogs_monitoring/runs/manual__1%2B00%3A00",
        "Toloka pool: https://toloka.example/pool/7",
    ]
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "")
    assert "Airflow run" not in send_alert(context, monitor(), EMPTY).message


def test_a_promotion_and_a_rollback_by_two_runs_wait_in_two_outboxes(monitor):
    notified = monitor(entry("Mailbox", "model_rolled_back", **MAIL))
    for run in ("a", "b"):
        send_alert({}, notified, ModelRolledBack(run, version="v1", previous="v2"))
    ids = {outbox_of(notified, run_id=run).alerts()[0].id for run in ("a", "b")}
    assert len(ids) == 2

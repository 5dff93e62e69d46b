"""An alert is told once to each recipient: by two at once, after a kill, and when the day is run again."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.alerts import PoolTooShort
from driftwatch.artifacts.annotation import AnnotationProgress
from driftwatch.artifacts.publishing import OutboxAlert
from driftwatch.config import NotifierConfig
from driftwatch.errors import DamagedArtifact
from driftwatch.publish.outbox import Outbox, alert_id, recipient
from driftwatch.storage import Storage, open_storage

DAY = "2026-01-05"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(open_storage(f"file://{tmp_path}"), f"demo/outbox/{DAY}")


def alert(reason: str = "expired", subject: str = "too short") -> OutboxAlert:
    progress = AnnotationProgress.model_validate_json(json.dumps(samples.PROGRESS))
    facts = PoolTooShort(date.fromisoformat(DAY), progress, reason)
    return OutboxAlert(
        id=alert_id("demo", facts), monitor="demo", day=DAY, kind="short_pool", subject=subject, message="text"
    )


def test_each_recipient_is_told_once_and_one_that_failed_is_tried_again(outbox: Outbox) -> None:
    outbox.put("performance", alert())
    sent: list[str] = []

    def broken() -> None:
        raise ConnectionError("no mail server")

    (found,) = outbox.alerts()
    assert found == alert()
    assert outbox.tell(found, "chat", lambda: sent.append("chat"))
    with pytest.raises(ConnectionError):
        outbox.tell(found, "mail", broken)
    assert (outbox.is_told(found, "chat"), outbox.is_told(found, "mail")) == (True, False)
    assert not outbox.tell(found, "chat", lambda: sent.append("chat"))
    assert outbox.tell(found, "mail", lambda: sent.append("mail"))
    assert sent == ["chat", "mail"]


def test_the_same_news_again_is_silent_and_other_news_is_told(outbox: Outbox) -> None:
    sent: list[str] = []
    for reason, subject in (("expired", "48.8 %"), ("expired", "48.2 %"), ("closed", "30 %")):
        outbox.put("performance", alert(reason, subject))
        (found,) = outbox.alerts()
        outbox.tell(found, "chat", lambda found=found: sent.append(found.subject))
    assert sent == ["48.8 %", "30 %"]


def test_news_that_is_taken_back_is_never_told_and_is_new_when_it_comes_again(outbox: Outbox) -> None:
    sent: list[str] = []
    outbox.withdraw("performance")  # nothing there is no error
    for _ in range(2):
        outbox.put("performance", alert())
        outbox.tell(alert(), "chat", lambda: sent.append("told"))
        outbox.withdraw("performance")
        assert outbox.alerts() == []
    assert sent == ["told", "told"]


def test_news_that_is_taken_back_without_being_forgotten_is_not_told_again(outbox: Outbox) -> None:
    sent: list[str] = []
    for _ in range(2):
        outbox.put("performance", alert())
        outbox.tell(alert(), "chat", lambda: sent.append("told"))
        outbox.withdraw("performance", forget=False)
        assert outbox.alerts() == []
    assert sent == ["told"]


def test_what_was_told_of_a_later_day_is_told_to_those_alone_who_were_not_told_then(outbox: Outbox) -> None:
    later = Outbox(outbox.storage, "demo/outbox/2026-12-24")
    outbox.told_already(alert().id, later, "performance")  # nothing there is no error
    later.put("performance", alert("closed"))
    later.tell(alert("closed"), "chat", lambda: None)
    outbox.told_already(alert().id, later, "performance")
    assert (outbox.is_told(alert(), "chat"), outbox.is_told(alert(), "mail")) == (True, False)


@pytest.mark.parametrize("content", [b"{half", b"[]", b'{"id": "x"}'])
def test_a_damaged_alert_is_named_and_a_step_that_has_none_goes_on(outbox: Outbox, content: bytes) -> None:
    outbox.storage.write_bytes(f"demo/outbox/{DAY}/drift.json", content)
    with pytest.raises(DamagedArtifact, match=rf"outbox/{DAY}/drift\.json .*delete it"):
        outbox.alerts()
    outbox.withdraw("drift")
    assert outbox.alerts() == []


def test_of_two_who_tell_at_once_one_sends(outbox: Outbox) -> None:
    sent: list[int] = []
    inside, together = threading.Event(), threading.Barrier(2)

    def slowly() -> None:
        inside.wait(0.2)  # both would be sending by now
        sent.append(1)

    def run() -> None:
        together.wait()
        outbox.tell(alert(), "chat", slowly)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == [1]


def test_who_was_killed_between_sending_and_noting_sends_again(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    def killed(*_: object) -> bool:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "write_json", killed)
        with pytest.raises(SystemExit):
            outbox.tell(alert(), "chat", lambda: sent.append(1))
    assert outbox.tell(alert(), "chat", lambda: sent.append(1))
    assert sent == [1, 1]


def test_a_recipient_is_named_by_its_arguments_without_showing_them() -> None:
    def name(**arguments: str) -> str:
        return recipient(NotifierConfig(notifier="a.b.SmtpNotifier", arguments=arguments))

    assert name(to="a@x") == name(to="a@x") != name(to="b@x")
    assert name(password="hunter2").startswith("SmtpNotifier-")
    assert "hunter2" not in name(password="hunter2")

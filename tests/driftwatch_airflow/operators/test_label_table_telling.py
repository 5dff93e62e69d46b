"""What is told of a day whose labels come from a table, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import BaseNotifier
from tests.driftwatch.labels.table_days import DAY, answered_day, by_table, files_of, put_csv, rows_of

from driftwatch.artifacts.episodes import DayEpisodes
from driftwatch.config import NotifierConfig
from driftwatch_airflow import alerts, episodes
from driftwatch_airflow.operators.label_table import FollowLabelsOperator, MergeTableOperator
from driftwatch_airflow.operators.telling import TellOperator

from .table_site import END, Site, context, deferral

SENT: list[str] = []


class Mail(BaseNotifier):
    """A mail server, which may be down."""

    down = False

    def notify(self, context: Any) -> None:
        if Mail.down:
            raise ConnectionError("no mail server")
        SENT.append(context["alert"].kind)


@pytest.fixture
def mail(monkeypatch):
    monkeypatch.setattr(Mail, "down", False)
    monkeypatch.setattr(episodes, "send_alert", alerts.send_alert)
    monkeypatch.setattr(episodes, "nothing_to_tell", alerts.nothing_to_tell)
    SENT.clear()
    return Mail


def told(site: Site, kind: Any, **more: Any) -> Any:
    """A task of a monitor that tells by mail."""
    entry = NotifierConfig(notifier=f"{__name__}.Mail", arguments={}, on=("performance", "too_few_labels"))
    config = by_table(site.day.config.storage.uri).model_copy(update={"notifiers": (entry,)})
    return kind(task_id=kind.__name__, monitor=config, day=str(site.day.date), **more)


def put_wrong(site: Site, labels: int) -> None:
    """The first labels are of the other class than the model says."""
    rows = rows_of(files_of(site.day)[:labels])
    put_csv(site.day, "a.csv", rows.assign(truth=rows["truth"].map({"cat": "dog", "dog": "cat"})))


def test_an_alert_that_comes_while_the_table_is_followed_is_told_with_that_look_and_once(site, mail):
    site.put(48)
    follow = told(site, FollowLabelsOperator)
    deferral(follow.execute, context())
    assert (site.performance.verdict, SENT) == ("ok", [])
    put_wrong(site, 52)
    deferral(follow.look, context(), {})
    assert (site.performance.verdict, SENT) == ("alert", ["performance"])
    put_wrong(site, 56)
    deferral(follow.look, context(), {})
    put_wrong(site, 60)
    follow.look(context(), {})
    told(site, TellOperator, kinds=("performance",)).execute(context())
    assert SENT == ["performance"]


def test_a_verdict_that_goes_to_and_fro_with_the_labels_is_told_once(site, mail):
    follow = told(site, FollowLabelsOperator)
    for wrong, verdict in ((True, "alert"), (False, "ok"), (True, "alert")):
        put_wrong(site, 52) if wrong else site.put(52)
        deferral(follow.look, context(), {})
        assert site.performance.verdict == verdict
    assert SENT == ["performance"]


def test_a_change_that_turns_out_to_have_begun_earlier_is_no_news_and_none_of_the_later_looks_tells_it_again(
    site, mail, tmp_path
):
    """The labels of the first day say what is wrong after those of the second have."""
    config = by_table(f"file://{tmp_path}")
    first, second = (Site(answered_day(config, DAY + timedelta(days=number)), site.clock) for number in (0, 1))

    def look(of: Site) -> str:
        deferral(told(of, FollowLabelsOperator).look, context(), {})
        return of.performance.verdict

    first.put(48)
    put_wrong(second, 52)
    assert (look(first), look(second), SENT) == ("ok", "alert", ["performance"])
    put_wrong(first, 54)
    assert look(first) == "alert"
    since = [of.day.read(DayEpisodes).of("performance").since for of in (first, second)]
    assert since == [DAY, DAY]  # one change, from the first day on
    for of, labels in ((first, 55), (second, 56), (first, 57), (second, 58)):
        put_wrong(of, labels)
        assert look(of) == "alert"
    assert SENT == ["performance"]


def test_a_mail_server_that_is_down_holds_no_look_up_and_the_alert_is_told_after_the_next(site, mail):
    put_wrong(site, 52)
    follow, mail.down = told(site, FollowLabelsOperator), True
    deferral(follow.execute, context())
    assert SENT == []
    mail.down = False
    deferral(follow.look, context(), {})
    assert SENT == ["performance"]


def test_a_day_of_which_nobody_knows_how_its_labels_were_chosen_is_no_news_and_one_with_too_few_of_them_is(site):
    site.put(48)
    site.task(MergeTableOperator, covers="unknown").execute(context())
    deferral(site.task(FollowLabelsOperator, covers="unknown").execute, context())
    assert (site.performance.verdict, site.told) == ("not_enough_evidence", [])
    site.clock.now = END
    site.put(20)
    site.task(FollowLabelsOperator).execute(context())
    assert (site.performance.verdict, site.told) == ("not_enough_evidence", ["too_few_labels"])

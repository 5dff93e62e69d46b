"""The form that changes what is usual."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from tests.driftwatch.drift.days import features_of, put_features
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.config.segments import SegmentConfig
from driftwatch.drift.mutes import muted_features, muted_segments
from driftwatch.drift.states import accepted_states
from driftwatch.errors import NeedsAttention
from driftwatch.storage import open_storage
from driftwatch_airflow.operators.reference import ChangeReferenceOperator

LAYOUT = MonitorKeys("cats_vs_dogs")
DAY = date(2026, 1, 8)


@pytest.fixture
def form(tmp_path, root, monkeypatch):
    """Sends the form: its fields are given, and each of its other fields is empty. Returns the log's line."""
    monkeypatch.setenv("DRIFTWATCH_STORAGE", f"file://{tmp_path}")
    monitor = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    monitor = monitor.model_copy(update={"segments": {"camera": SegmentConfig(key="^([^/]+)/")}})
    store = monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT, monitor)
    put_features(store.day(DAY), features_of(80, 1))

    def send(**fields: Any) -> str:
        empty = dict.fromkeys(("days", "state", "name", "since", "until"))
        run = SimpleNamespace(triggering_user_name="ann")
        operator = ChangeReferenceOperator(task_id="change_reference", monitor=monitor)
        context = {"params": {**empty, "reason": "a new lens", **fields}, "run_id": "r", "dag_run": run}
        return operator.execute(context)

    return SimpleNamespace(send=send, store=store)


def test_days_are_accepted_and_withdrawn_with_who_and_why(form):
    for _ in range(2):  # a repeated task accepts once
        assert "are usual (80 images)" in form.send(action="accept", days="2026-01-08")
    assert "not usual any more" in form.send(action="withdraw", state="2026-01-08", reason="it was dirt")
    (state,) = accepted_states(form.store)
    assert [(decision.what, decision.by, decision.reason) for decision in state.history] == [
        ("accepted", "ann", "a new lens"),
        ("withdrawn", "ann", "it was dirt"),
    ]


def test_features_and_segments_are_muted_from_the_newest_day_on_and_let_go_again(form):
    form.send(action="mute", name="image.Sharpness.laplacian", until="2026-02-08", reason="fog")
    form.send(action="mute", name="camera=door-17", until="2026-02-08", reason="a building site")
    assert muted_features(form.store, DAY)["image.Sharpness.laplacian"].by == "ann"
    assert [mute.reason for mute in muted_segments(form.store, DAY).values()] == ["a building site"]
    for _ in range(2):  # a repeated task ends it once
        form.send(action="unmute", name="camera=door-17", since="2026-01-10")
        form.send(action="unmute", name="image.Sharpness.laplacian")
    assert [bool(muted_segments(form.store, date(2026, 1, day))) for day in (9, 10)] == [True, False]
    assert muted_features(form.store, DAY) == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"action": "accept"}, "the form's days is empty, and accept needs it"),
        ({"action": "withdraw"}, "the form's state is empty, and withdraw needs it"),
        ({"action": "mute", "name": "image.Sharpness.laplacian"}, "the form's until is empty, and mute needs it"),
        ({"action": "accept", "days": "2026-01-08", "reason": " "}, "the form's reason is empty"),
    ],
)
def test_what_the_form_lacks_is_named(form, fields, said):
    with pytest.raises(NeedsAttention, match=said):
        form.send(**fields)

"""The gate, the promotion and the rollback: each happens once, and is told."""

from __future__ import annotations

import json
from datetime import date, datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from tests import covered_images
from tests.cards import model_card
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.alerts import ModelPromoted, ModelRolledBack
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.retraining import GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.blur import BlurConfig
from driftwatch.config.loader import load_monitor
from driftwatch.errors import ChangedImage, NeedsAttention
from driftwatch.models import registry
from driftwatch_airflow.operators import promotion
from driftwatch_airflow.operators.promotion import (
    ApprovePromotionOperator,
    GateOperator,
    PromoteModelOperator,
    RollBackOperator,
)
from driftwatch_airflow.operators.retraining import ShowPlanOperator

RUN = "perf_alert__2026-11-20"


LAYOUT = MonitorKeys("cats_vs_dogs")


class RecordedGate(GateOperator):
    """As above."""

    def do_branch(self, context: Any, branches_to_execute: Any) -> Any:
        return branches_to_execute


@pytest.fixture
def gate_passed(storage, monkeypatch):
    """Two registered versions, of which the gate found the second better; what their references hold is no matter here."""
    import driftwatch.drift.handover

    def build(store: MonitorStore, version: str) -> None:
        store.storage.write_bytes(store.keys.reference_profile(version), b"profile")

    monkeypatch.setattr(driftwatch.drift.handover, "build_reference_of", build)
    old, new = (
        registry.register(monitor_store(storage, LAYOUT), f"v000{n}-{n:08x}", b"model %d" % n, model_card())
        for n in (1, 2)
    )
    registry.promote(monitor_store(storage, LAYOUT), old.version, "test", expected=None)
    gate = {
        **samples.GATE,
        "decision": "promote",
        "reasons": ["better"],
        "version": new.version,
        "champion": old.version,
    }
    storage.write_json(LAYOUT.retraining(RUN, "gate.json"), gate)
    return old.version, new.version


def promote(monitor: Any) -> str:
    return PromoteModelOperator(task_id="promote", monitor=monitor, request=RUN).execute({"run_id": RUN, "params": {}})


def roll_back(monitor: Any, to: str, run_id: str = "back_1") -> str:
    operator = RollBackOperator(task_id="roll_back", monitor=monitor, request=run_id)
    return operator.execute({"params": {"rollback": to}, "run_id": run_id})


@pytest.mark.parametrize(
    ("decision", "promotion", "expected"),
    [
        ("promote", "auto", "promote_model"),
        ("promote", "approval", "approve_promotion"),
        ("promote", "never", "keep_champion"),
        ("keep", "auto", "keep_champion"),
        ("not_enough_evidence", "auto", "keep_champion"),
        ("not_enough_evidence", "approval", "keep_champion"),
        ("promote", None, "promote_model"),
    ],
)
def test_the_gate_and_the_setting_together_choose(root, decision, promotion, expected):
    gate = RecordedGate(
        task_id="gate",
        monitor=load_monitor(root / "include/monitors/cats_vs_dogs.yaml"),
        on_keep="keep_champion",
        on_approval="approve_promotion",
        on_promote="promote_model",
    )
    ti = SimpleNamespace(xcom_pull=lambda task_ids: {"decision": decision})
    assert gate.execute({"ti": ti, "params": {"promotion": promotion}}) == expected


def test_a_rollback_takes_one_step_is_told_and_a_repeated_task_does_not_roll_forward(
    monitor, storage, gate_passed, monkeypatch
):
    told: list[Any] = []
    monkeypatch.setattr(promotion, "send_alert", lambda context, monitor, alert: told.append(alert))
    old, new = gate_passed
    promote(monitor)
    assert [roll_back(monitor, "previous") for _ in range(2)] == [old, old]
    assert told[-1] == ModelRolledBack("back_1", version=old, previous=new)
    assert roll_back(monitor, new, "back_2") == new
    with pytest.raises(registry.UnknownVersion, match="has no version"):
        roll_back(monitor, "v0009-00000000", "back_3")
    assert registry.champion(monitor_store(storage, LAYOUT)).version == new


def test_a_passed_gate_moves_the_champion_once_and_tells_it(monitor, storage, gate_passed, monkeypatch):
    told: list[Any] = []
    monkeypatch.setattr(promotion, "send_alert", lambda context, monitor, alert: told.append(alert))
    old, new = gate_passed
    assert promote(monitor) == new
    pointer = storage.read_bytes(LAYOUT.champion)
    assert promote(monitor) == new
    assert storage.read_bytes(LAYOUT.champion) == pointer
    assert registry.champion(monitor_store(storage, LAYOUT)).previous == old
    assert storage.exists(LAYOUT.reference_profile(new))
    gate = monitor_store(storage, LAYOUT).read(LAYOUT.retraining(RUN, "gate.json"), GateResult)
    assert told[0] == ModelPromoted(RUN, version=new, gate=gate)


def test_a_challenger_is_not_promoted_over_a_champion_that_it_was_not_compared_with(monitor, storage, gate_passed):
    third = registry.register(monitor_store(storage, LAYOUT), "v0003-00000003", b"model 3", model_card()).version
    registry.promote(monitor_store(storage, LAYOUT), third, "somebody", expected=gate_passed[0])
    with pytest.raises(
        registry.ChampionMoved, match=r"the champion is v0003.*nothing was changed: start the retraining"
    ):
        promote(monitor)
    assert registry.champion(monitor_store(storage, LAYOUT)).version == third


def test_no_champion_is_ever_without_a_reference(monitor, storage, gate_passed, monkeypatch):
    import driftwatch.drift.handover

    def full(*_: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(driftwatch.drift.handover, "build_reference_of", full)
    with pytest.raises(OSError, match="no space left"):
        promote(monitor)
    assert registry.champion(monitor_store(storage, LAYOUT)).version == gate_passed[0]


def test_followers_of_the_champion_are_told_the_version_and_where_its_card_is(monitor, storage, gate_passed):
    from airflow.sdk.execution_time.context import OutletEventAccessors

    from driftwatch_airflow.assets import champion_asset

    asset, events = champion_asset(monitor.name), OutletEventAccessors()
    task = PromoteModelOperator(task_id="promote", monitor=monitor, request=RUN, outlets=[asset])
    task.execute({"run_id": RUN, "params": {}, "outlet_events": events})
    assert events[asset].extra == {
        "version": gate_passed[1],
        "previous": gate_passed[0],
        "promoted_by": RUN,
        "url": storage.url(LAYOUT.model_card(gate_passed[1])),
    }


def test_there_is_no_way_back_to_a_challenger_that_was_never_champion(monitor, storage, gate_passed):
    old, new = gate_passed
    for task in (RollBackOperator, ShowPlanOperator):
        operator = task(task_id="back", monitor=monitor, request=RUN)
        with pytest.raises(NeedsAttention, match=f"{new} was never champion.*these were: {old}"):
            operator.execute({"params": {"rollback": new}, "run_id": "by hand"})
    assert registry.champion(monitor_store(storage, LAYOUT)).version == old


def test_the_approval_s_form_shows_images_with_what_is_to_be_covered(monitor, storage, monkeypatch):
    server = {"conn_type": "http", "host": "http://127.0.0.1:9", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_DRIFTWATCH_IMAGES", json.dumps(server))
    blur = BlurConfig(path=covered_images.TABLE, training="show")
    monitor = monitor.model_copy(update={"labels": monitor.labels.model_copy(update={"blur": blur})})
    day = monitor_store(storage, LAYOUT, monitor).day(date(2026, 11, 20))
    shown, hidden = (
        covered_images.put(day, f"{number}.jpg", covered_images.file_of(covered_images.upright(number), 6))
        for number in range(2)
    )
    covered_images.write_boxes(day, covered_images.row("0.jpg"))
    task = ApprovePromotionOperator(task_id="approve_promotion", monitor=monitor, request=RUN)
    link = task._image_link({"ti": SimpleNamespace(start_date=datetime.now(timezone.utc))})
    assert link
    assert f"retraining/{RUN}/shown/covered/{shown[0]}.jpg" in link(*shown)
    (copy,) = storage.list(LAYOUT.of_retraining(RUN).shown)
    assert covered_images.vivid(storage.read_bytes(copy.key)) == 0
    with pytest.raises(ChangedImage, match="is shown to nobody"):
        link(*hidden)

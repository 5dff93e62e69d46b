"""The registry as the models page tells it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed
from tests.stores import monitor_store

from driftwatch.artifacts.keys import GATE, MonitorKeys
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.retraining import GateResult
from driftwatch.storage import open_storage
from driftwatch.view import models
from driftwatch.view.artifacts import Artifacts

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT))


@pytest.mark.parametrize(("n", "rows"), [(3, 3), (15, 15), (16, 1), (40, 1)])
def test_a_cards_classes_keep_their_order_and_many_are_counted(n: int, rows: int) -> None:
    classes = [f"c{place}" for place in range(n)][::-1]
    data = {**samples.CARD["data"], "class_balance": {name: 1 / n for name in sorted(classes)}}
    found = models.facts(typed(ModelCard, samples.CARD, classes=classes, data=data))
    told = [name for name, _ in found if name.startswith("data.class_balance")]
    assert len(told) == rows
    if rows == n:
        assert told == [f"data.class_balance.{name}" for name in classes]


def test_a_card_tells_each_entry_but_those_with_places_of_their_own() -> None:
    found = dict(models.facts(typed(ModelCard, samples.CARD)))
    assert found["created_by"] == samples.CARD["created_by"]
    assert found["recipe.name"] == samples.CARD["recipe"]["name"]
    assert not [name for name in found if name.split(".")[0] in ("gate", "metrics", "history", "schema_version")]
    assert dict(models.facts(typed(ModelCard, samples.FIRST_CARD)))["parent"] == "–"


def test_there_is_a_way_back_to_former_champions_alone(artifacts: Artifacts) -> None:
    first, second, third, fourth = (f"v000{n}-0000000{n}" for n in range(1, 5))
    for version in (first, second, third, fourth):
        artifacts.storage.write_json(LAYOUT.model_card(version), {**samples.CARD, "version": version})
    pointer = ChampionPointer(version=fourth, previous=second, promoted_by="a run", history=(first, second, fourth))
    artifacts.store.write(LAYOUT.champion, pointer)
    found = {row.version: (row.state, row.back, row.promoted_by) for row in models.models(artifacts)}
    assert found == {
        fourth: ("champion", False, "a run"),
        third: ("kept", False, None),  # its gate kept it from production
        second: ("previous", True, None),
        first: ("kept", True, None),
    }


def test_a_damaged_card_and_pointer_are_named_and_the_rest_is_shown(artifacts: Artifacts) -> None:
    good, bad = "v0001-00000001", "v0002-00000002"
    artifacts.storage.write_json(LAYOUT.model_card(good), {**samples.CARD, "version": good})
    artifacts.storage.write_json(LAYOUT.model_card(bad), {"metrics": {"holdout": "good"}})
    artifacts.storage.write_bytes(LAYOUT.champion, b'{"vers')
    assert [row.version for row in models.models(artifacts)] == [good]
    champion, problem = models.champion_or_problem(artifacts)
    assert champion is None
    assert problem is not None
    assert LAYOUT.champion in problem
    assert [key in said for key, said in zip((LAYOUT.champion, LAYOUT.model_card(bad)), models.problems(artifacts), strict=True)] == [True, True]  # fmt: skip


def test_the_gate_has_a_row_for_each_part_with_the_difference_in_points() -> None:
    recent = {**samples.GATE["recent"], "difference": 0.18, "low": 0.104, "high": 0.251, "p_value": 0.0003}
    found = models.gate(typed(GateResult, samples.GATE, recent=recent, decision="keep"))
    assert (found.verdict.word, found.against) == ("not passed", samples.GATE["champion"])
    assert [row.part for row in found.rows] == ["Recent days", "Clean images"]
    assert (found.rows[0].difference.text, found.rows[0].difference.note) == ("+18.0", "[+10.4, +25.1]")
    assert found.rows[0].p == "0.0003"
    nothing = {**recent, "n": 0, "difference": None, "low": None, "high": None, "p_value": None}
    row = models.gate(typed(GateResult, samples.GATE, recent=nothing)).rows[0]
    assert (row.difference.text, row.difference.note, row.p) == ("–", "", "–")


def test_a_retraining_is_told_by_its_last_day_and_a_damaged_one_is_left_out(artifacts: Artifacts) -> None:
    for run, day in (("late", "2026-01-09"), ("early", "2026-01-08"), ("damaged", "2026-01-07")):
        key = LAYOUT.retraining(run, "dataset_card.json")
        artifacts.storage.write_json(key, {**samples.DATASET_CARD, "last_day": day if run != "damaged" else 3})
    artifacts.storage.write_json(LAYOUT.retraining("late", GATE), {**samples.GATE, "decision": "keep"})
    assert models.retrainings(artifacts) == [
        models.Retraining("2026-01-08", "early", None, None),
        models.Retraining("2026-01-09", "late", "keep", samples.GATE["version"]),
    ]


def test_a_set_that_was_handed_over_is_told_so_and_its_model_is_waited_for(artifacts: Artifacts) -> None:
    artifacts.storage.write_json(LAYOUT.champion, {"version": samples.HANDOVER["champion"]})
    artifacts.storage.write_json(LAYOUT.retraining("r1", "dataset_card.json"), samples.DATASET_CARD)
    handover = {**samples.HANDOVER, "run_key": "r1"}
    artifacts.storage.write_json(LAYOUT.of_retraining("r1").handover.manifest, handover)
    assert models.retrainings(artifacts) == [models.Retraining(samples.DAY, "r1", "handed_over", None)]
    assert models.waited_for(artifacts) is None  # no day has data
    artifacts.storage.write_json(LAYOUT.day(date(2026, 1, 9)).ingest, samples.INGEST)
    found = models.waited_for(artifacts)
    assert found is not None
    assert (found.run_key, found.place) == ("r1", handover["place"])
    artifacts.storage.write_json(LAYOUT.champion, {"version": "v0009-00000009"})
    assert models.waited_for(artifacts) is None

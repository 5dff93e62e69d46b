"""The registry as the models page tells it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.keys import GATE, MonitorKeys
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.storage import open_storage
from driftwatch.view import model_page, models
from driftwatch.view.artifacts import Artifacts

LAYOUT = MonitorKeys("demo")


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(monitor_store(open_storage(f"file://{tmp_path}"), LAYOUT))


def test_there_is_a_way_back_to_former_champions_alone(artifacts: Artifacts) -> None:
    first, second, third, fourth = (f"v000{n}-0000000{n}" for n in range(1, 5))
    for version in (first, second, third, fourth):
        artifacts.storage.write_json(LAYOUT.model_card(version), {**samples.CARD, "version": version})
    pointer = ChampionPointer(version=fourth, previous=second, promoted_by="a run", history=(first, second, fourth))
    artifacts.store.write(LAYOUT.champion, pointer)
    rows = model_page.models(artifacts)
    assert {row.version: (row.state, row.back, row.promoted_by) for row in rows} == {
        fourth: ("champion", False, "a run"),
        third: ("kept", False, None),  # its gate kept it from production
        second: ("previous", True, None),
        first: ("kept", True, None),
    }
    assert [row.badge.word for row in rows] == [
        "champion: serves now",
        "passed the gate, never served",
        "champion before",
        "champion before",
    ]


@pytest.mark.parametrize(
    ("decision", "badge"),
    [("keep", "refused by the gate"), ("not_enough_evidence", "not promoted: not enough evidence")],
)
def test_a_refused_version_says_so_and_why(artifacts: Artifacts, decision: str, badge: str) -> None:
    gate = {**samples.GATE, "decision": decision, "reasons": ["Clean images: worse."]}
    artifacts.storage.write_json(LAYOUT.model_card(samples.CARD["version"]), {**samples.CARD, "gate": gate})
    (row,) = model_page.models(artifacts)
    assert (row.badge.word, row.why) == (badge, ("Clean images: worse.",))


def test_a_version_names_the_days_that_it_learnt_from_and_its_retraining(artifacts: Artifacts) -> None:
    artifacts.storage.write_json(LAYOUT.model_card(samples.CARD["version"]), samples.CARD)
    (row,) = model_page.models(artifacts)
    data = samples.CARD["data"]
    assert ([day.day for day in row.learnt], row.run) == (sorted(data["by_day"]), data["run_key"])
    first = data["by_day"][row.learnt[0].day]
    assert f"{first['train']} for training" in row.learnt[0].text
    assert f"{first['evaluation']} for the comparison" in row.learnt[0].text


def test_a_damaged_card_and_pointer_are_named_and_the_rest_is_shown(artifacts: Artifacts) -> None:
    good, bad = "v0001-00000001", "v0002-00000002"
    artifacts.storage.write_json(LAYOUT.model_card(good), {**samples.CARD, "version": good})
    artifacts.storage.write_json(LAYOUT.model_card(bad), {"metrics": {"holdout": "good"}})
    artifacts.storage.write_bytes(LAYOUT.champion, b'{"vers')
    assert [row.version for row in model_page.models(artifacts)] == [good]
    champion, problem = models.champion_or_problem(artifacts)
    assert champion is None
    assert problem is not None
    assert LAYOUT.champion in problem
    assert [key in said for key, said in zip((LAYOUT.champion, LAYOUT.model_card(bad)), model_page.problems(artifacts), strict=True)] == [True, True]  # fmt: skip


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

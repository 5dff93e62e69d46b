"""The card "What now" in each situation: its tone, what was done, what to do, and by which button."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, a_day, typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress
from driftwatch.artifacts.evidence import StratumSums
from driftwatch.artifacts.failure import REVISED, Failure
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.retraining import DatasetCard, GateResult
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import open_storage
from driftwatch.view import advice, tones
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.days import with_standings
from driftwatch.view.report import environment
from driftwatch.view.retrained import Outcome
from driftwatch.view.what_happened import worst_class
from driftwatch.view.what_now import LOOKED_BACK, WhatNow, of_day, status, way_back
from driftwatch.view.words import capital

_SHARE = {"value": 0.9, "low": 0.85, "high": 0.93, "n": 300}
RUN, NEW = f"perf_alert__{DAY}", "v0002-4e5f6071"


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


def texts(card: WhatNow) -> list[str]:
    return [step.text for step in card.steps]


def test_a_usual_day_has_nothing_to_do_and_no_button(config: MonitorConfig) -> None:
    sure = typed(Performance, samples.PERFORMANCE, verdict="ok", accuracy=_SHARE)
    card = of_day(replace(a_day(drift="ok", performance="ok"), performance=sure), None, config)
    assert (card.tone, card.advice, card.steps, card.done) == (tones.GOOD, "Nothing.", (), ())
    assert card.calm


def test_a_failed_day_is_run_again_by_its_own_form(config: MonitorConfig) -> None:
    failed = Failure(task="merge_annotations", reason="no answer", run_id="r")
    card = of_day(a_day(drift="drifted", performance="alert", failure=failed), None, config)
    assert card.said.startswith("The day failed at merge_annotations. ")
    assert "failed at merge_annotations: no answer" in card.where
    (step,) = card.steps
    assert (step.dag, step.conf) == (config.monitoring_dag_id, {"day": DAY.isoformat()})
    assert step.sure


def test_a_day_without_a_usable_image_asks_for_a_look_at_the_delivery(config: MonitorConfig) -> None:
    card = of_day(a_day(ingest=typed(Ingest, samples.INGEST, accepted=0)), None, config)
    assert (card.tone, card.advice) == (tones.BAD, capital(advice.NO_IMAGES))
    assert card.steps[0].conf == {"day": DAY.isoformat()}


def test_a_day_that_goes_on_only_as_a_correction_is_not_told_to_run_again_as_it_is(config: MonitorConfig) -> None:
    reason = f"the day was sent before; if the new content is right, {REVISED}: that deletes it"
    card = of_day(a_day(drift="ok", failure=Failure(task="upload_features", reason=reason, run_id="r")), None, config)
    assert card.advice == capital(advice.NEEDS_REVISION)
    assert [step.conf for step in card.steps] == [{"day": DAY.isoformat(), "revise": True}]


def test_a_file_that_cannot_be_read_leads_to_the_day(config: MonitorConfig) -> None:
    card = of_day(a_day(drift="ok", problems=("drift.json: broken",)), None, config)
    assert (card.tone, card.steps[0].page) == (tones.BAD, f"days/{DAY}/")


def test_changed_images_lead_to_the_form_that_accepts_the_change(config: MonitorConfig) -> None:
    plan = typed(AnnotationPlan, samples.PLAN, state="opened", close_reason=None, progress=None)
    progress = typed(AnnotationProgress, samples.PROGRESS, text="230 of 440 images answered")
    card = of_day(a_day(drift="drifted", annotation=plan, progress=progress), None, config)
    assert card.tone == tones.WARN
    assert card.advice.startswith(capital(advice.IMAGES_DRIFTED))
    assert card.steps[-1].page == f"days/{DAY}/#usual"
    assert card.done[0].text.startswith(f"People are labelling until {plan.expires:%Y-%m-%d %H:%M} UTC: 230 of 440")


def test_while_people_label_the_step_is_the_place_where_they_do(config: MonitorConfig) -> None:
    plan = typed(AnnotationPlan, samples.PLAN, state="opened", close_reason=None, progress=None)
    card = of_day(a_day(drift="ok", annotation=plan), None, config)
    assert (card.tone, card.advice) == (tones.WAITING, capital(advice.WAIT_FOR_LABELS))
    assert card.steps[0].pool == DAY


def test_a_day_that_is_half_done_waits_for_itself(config: MonitorConfig) -> None:
    card = of_day(a_day(), None, config)
    assert (card.tone, card.advice) == (tones.WAITING, capital(advice.WAIT_FOR_DAY))
    assert status(a_day(ingest=None)) == "The day was not taken in yet."


def test_too_little_evidence_asks_for_labels_and_is_never_green(config: MonitorConfig) -> None:
    card = of_day(a_day(drift="ok", performance="not_enough_evidence"), None, config)
    assert card.tone == tones.UNSURE
    assert card.advice == capital(f"{advice.TOO_FEW_LABELS} {advice.NOT_COUNTED}")


def test_an_accuracy_near_the_floor_is_amber_says_so_and_offers_a_retraining(config: MonitorConfig) -> None:
    near = typed(Performance, samples.PERFORMANCE, verdict="ok", floor=0.7, judged=None, accuracy={"value": 0.72, "low": 0.66, "high": 0.77, "n": 295})  # fmt: skip
    (day,) = with_standings([replace(a_day(drift="ok", performance="ok"), performance=near)])
    card = of_day(day, None, config, before="v0001-0a1b2c3d")
    assert card.tone == tones.WARN
    assert card.said.endswith("floor 70 %. The interval reaches the floor.")
    assert [step.page for step in card.steps if step.page] == [f"days/{DAY}/people", "models#v0001-0a1b2c3d"]
    assert [step.conf["dry_run"] for step in card.steps if step.conf] == [True, False]


def test_the_way_back_stays_open_after_a_later_retraining_was_refused_and_ends_with_a_roll_back(
    small_monitor: Callable[..., MonitorConfig], tmp_path: Path
) -> None:
    uri, old, third = f"file://{tmp_path}", "v0001-0a1b2c3d", "v0003-1f2e3d4c"
    store = MonitorStore(open_storage(uri), small_monitor(uri))
    for day, version, decision in ((DAY, NEW, "promote"), (DAY + timedelta(days=2), third, "keep")):
        run = f"perf_alert__{day}"
        store.write(
            store.keys.retraining(run, DATASET_CARD), typed(DatasetCard, samples.DATASET_CARD, last_day=str(day))
        )
        store.write(
            store.keys.retraining(run, GATE), typed(GateResult, samples.GATE, decision=decision, version=version)
        )
    store.write(store.keys.champion, ChampionPointer(version=NEW, previous=old, history=(old, NEW)))
    asked = [DAY - timedelta(days=1), DAY, DAY + timedelta(days=3), DAY + timedelta(days=LOOKED_BACK + 1)]
    assert [way_back(Artifacts(store), day) for day in asked] == [None, old, old, None]
    store.write(store.keys.champion, ChampionPointer(version=NEW, previous=third, history=(old, NEW, third, NEW)))
    assert way_back(Artifacts(store), DAY) is None


def test_segments_that_are_worse_are_named_and_led_to(config: MonitorConfig) -> None:
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 90, "effective_n": 90}
    worse = {"by": "camera", "name": "door 1/7", "images": 200, "labels": 90, "days": 1, "accuracy": share, "rest": _SHARE, "verdict": "alert", "found": ["below_floor"]}  # fmt: skip
    known = typed(SegmentAccuracy, worse, p_value=0.001)
    found = typed(Performance, samples.PERFORMANCE, verdict="ok").model_copy(update={"segments": (known,)})
    card = of_day(replace(a_day(drift="ok", performance="ok"), performance=found), None, config)
    assert card.advice == capital(advice.SEGMENTS_GOT_WORSE)
    assert card.steps[0].page == "segments/camera/door%201%2F7"
    assert card.tone == tones.WARN


def test_of_a_stratified_sample_the_worst_class_s_mistake_is_told_as_a_share() -> None:
    found = typed(Performance, samples.PERFORMANCE)
    plain = worst_class(found)
    assert found.evidence is not None
    scores = found.evidence.scores
    strata = (StratumSums(name="all", images=900, cells=((0, 0, 1),), scores=scores),)
    weighed = worst_class(found.model_copy(update={"evidence": found.evidence.model_copy(update={"strata": strata})}))
    assert plain.endswith(", most often taken for dog (104)")
    assert weighed == plain.replace("(104)", "(50 %)")


AFTER: list[tuple[str, dict[str, Any], list[str]]] = [
    ("held", {}, ["Show the plan of a retraining", "Retrain"]),
    ("training", {}, []),
    ("handed_over", {}, ["See the models"]),
    ("comparing", {"version": NEW}, ["Compare both models"]),
    ("failed", {}, ["Show the plan of a retraining", "Retrain"]),
    ("refused", {"version": NEW}, ["Compare both models", "Show the plan of a retraining", "Retrain"]),
    ("too_little_evidence", {"version": NEW}, ["Compare both models", "Show the plan of a retraining", "Retrain"]),
    ("passed", {"version": NEW, "run_id": RUN}, ["Decide in the run", "Compare both models"]),
    ("promoted", {"version": NEW}, ["Accept this change", "Compare both models", "Roll back to v0001"]),
    (
        "promoted",
        {"version": NEW, "accepted": True},
        ["Compare both models", "Withdraw the change", "Roll back to v0001"],
    ),
    ("replaced", {"version": NEW}, ["Compare both models"]),
]


@pytest.mark.parametrize(("state", "more", "steps"), AFTER, ids=[f"{row[0]} {row[1].get('accepted', '')}" for row in AFTER])  # fmt: skip
def test_after_an_alert_the_next_step_follows_what_it_led_to(
    config: MonitorConfig, state: Any, more: dict[str, Any], steps: list[str]
) -> None:
    card = of_day(a_day(drift="ok", performance="alert"), Outcome(state, "What it led to.", **more), config, "v0001")
    assert card.tone == tones.BAD
    assert card.done[0].text == "What it led to."
    assert texts(card) == steps
    wanted = advice.PROMOTED_AND_ACCEPTED if more.get("accepted") else advice.AFTER_ALERT[state]
    assert card.advice == capital(wanted)


def test_an_alert_of_which_nothing_is_known_yet_advises_as_its_message_does(config: MonitorConfig) -> None:
    card = of_day(a_day(drift="ok", performance="alert"), None, config)
    assert card.advice == capital(advice.MODEL_GOT_WORSE)
    assert any(line.startswith("Worst class ") for line in card.where)


def test_a_refusal_gives_the_gates_reasons(config: MonitorConfig) -> None:
    refused = Outcome("refused", "It was refused.", RUN, NEW, ("Recent days: not better.",))
    card = of_day(a_day(drift="ok", performance="alert"), refused, config)
    assert [done.text for done in card.done] == ["It was refused.", "The gate: Recent days: not better."]


def test_a_monitor_without_labels_is_told_of_its_images_alone(config: MonitorConfig) -> None:
    card = of_day(a_day(drift="ok", labelled=False), None, config)
    assert (card.tone, card.advice) == (tones.GOOD, "Nothing.")


def test_the_card_links_only_where_the_pages_are_known_and_asks_airflow_only_on_them(config: MonitorConfig) -> None:
    """The report may be opened anywhere: without the pages' address it has the words alone."""
    failed = Failure(task="ingest_images", reason="<script>no</script>", run_id="r")
    card = of_day(a_day(drift="ok", failure=failed), None, config)
    template = environment().get_template("what_now.html.j2").module
    words = str(template.what_now(card, "", "", config))  # type: ignore[attr-defined]
    assert card.advice in html.unescape(words)
    assert not re.search("href|<button|<script", words)
    linked = str(template.what_now(card, "https://a/driftwatch/m/demo/", "https://a", config))  # type: ignore[attr-defined]
    assert f'href="https://a/dags/{config.monitoring_dag_id}"' in linked
    assert f"day <code>{DAY}</code>" in linked
    assert "<button" not in linked
    page = str(template.what_now(card, "/driftwatch/m/demo/", "", config, forms=True))  # type: ignore[attr-defined]
    assert f'data-runs="/api/v2/dags/{config.monitoring_dag_id}/dagRuns"' in page
    assert f"""data-conf='{{"day": "{DAY}"}}'""" in page

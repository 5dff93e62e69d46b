"""The evaluation of a day whose sample was drawn by strata: every number weighs, and what people see for training has no part."""

from __future__ import annotations

import json
from datetime import timedelta

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import day_store

from driftwatch.accuracy.history import days_before
from driftwatch.artifacts.annotation import AnnotationPlan, LateDraw, SampledImage, Stratum
from driftwatch.config import MonitorConfig
from driftwatch.drift.whylogs_profiles import confusion_counts, read_profile
from driftwatch.images import late as late_ids
from driftwatch.images.judged import keeping_answers
from driftwatch.labels.consensus import merge_day
from driftwatch.labels.extra import merge_extra
from driftwatch.storage import Storage

from .days import CARD, DAY, evaluated

SURE, UNSURE, UNSEEN = (f"s{n:02d}" for n in range(90)), (f"u{n:02d}" for n in range(20)), ("n0", "n1")
STRATA = {
    name: stratum for stratum, names in (("sure", SURE), ("unsure", UNSURE), ("unseen", UNSEEN)) for name in names
}
SAMPLE = [*(f"s{n:02d}" for n in range(10)), *(f"u{n:02d}" for n in range(10))]
EXTRA = ["u10", "u11", "u12"]


def write_day(storage: Storage, monitor: MonitorConfig) -> None:
    """All are cats, and so people say. The model says dog on every second unsure image, and is right on the sure ones."""
    said = {name: "dog" if name[0] == "u" and int(name[1:]) % 2 else "cat" for name in STRATA}
    table = {"image_id": list(STRATA), "prediction": [said[name] for name in STRATA], "model_version": "v1"}
    table |= {"score.cat": [0.9 if said[name] == "cat" else 0.4 for name in STRATA]}
    table |= {"score.dog": [1 - score for score in table["score.cat"]]}
    storage.write_table(DAY.predictions, pd.DataFrame(table))
    page = {"status": "ACCEPTED", "submitted": "2026-01-05T10:00:00+00:00", "seconds": 30.0, "reward": 0.05}
    rows = [
        {"assignment_id": f"p{worker}", "annotator_id": f"w{worker}", "image_id": name, "answer": "cat", "control": False,
         "known_label": None, **page}
        for worker in range(3)
        for name in [*SAMPLE, *EXTRA]
    ]  # fmt: skip
    storage.write_table(DAY.assignments, pd.DataFrame(rows))
    strata = (("sure", 90, 10), ("unsure", 20, 10), ("unseen", 2, 0))
    plan = AnnotationPlan.model_validate_json(json.dumps(samples.PLAN)).model_copy(
        update={
            "day": DAY.day, "pool_id": "7",
            "sample": tuple(SampledImage(image_id=name, key=name, stratum=STRATA[name]) for name in SAMPLE),
            "strata": tuple(Stratum(name=name, images=images, asked=asked) for name, images, asked in strata),
            "extra": tuple(SampledImage(image_id=name, key=name) for name in EXTRA),
        }
    )  # fmt: skip
    day = day_store(storage, DAY, monitor)
    day.write(plan)
    storage.write_table(DAY.strata, pd.DataFrame({"image_id": list(STRATA), "stratum": list(STRATA.values())}))
    merge_day(day, SAMPLE)
    assert merge_extra(day, plan) == 3
    storage.write_json(day.monitor.keys.model_card("v1"), CARD)


def test_all_numbers_of_the_day_weigh_by_the_strata(storage: Storage, monitor: MonitorConfig) -> None:
    write_day(storage, monitor)
    found = evaluated(storage, DAY, monitor)
    accuracy = (90 + 20 * 0.5) / 110
    assert (found.labels, found.sampled, found.not_covered) == (20, 20, 2)
    assert found.accuracy.value == pytest.approx(accuracy)
    assert found.classes["cat"].recall.value == pytest.approx(accuracy)
    assert (found.classes["cat"].support, found.classes["cat"].recall.n) == (20, 20)
    assert found.confusion_matrix.rows == ((18, 2), (0, 0))  # 20 labels, of which 2 are wrong in expectation
    counts = confusion_counts(read_profile(storage.read_bytes(DAY.performance_profile)))
    assert counts is not None
    assert counts["counts"] == [[18, 2], [0, 0]]
    assert found.judged is not None
    assert found.judged.value == pytest.approx(accuracy, abs=0.02)
    assert [stratum.images for stratum in found.evidence.strata] == [90, 20, 2]
    assert found.evidence.scores.rest_n == 112 - 20


def test_a_later_day_reads_the_strata_again(storage: Storage, monitor: MonitorConfig) -> None:
    write_day(storage, monitor)
    evaluated(storage, DAY, monitor)
    (past,) = days_before(day_store(storage, DAY, monitor).monitor, DAY.day + timedelta(days=1))
    assert past.evidence.weighted[0] == pytest.approx([20 * 100 / 110, 20 * 10 / 110])


def test_labels_for_training_lie_apart_and_move_no_number(storage: Storage, monitor: MonitorConfig) -> None:
    write_day(storage, monitor)
    with_extra = evaluated(storage, DAY, monitor)
    assert sorted(storage.read_table(DAY.extra_labels)["image_id"]) == EXTRA
    assert not set(storage.read_table(DAY.labels)["image_id"]) & set(EXTRA)
    rows = storage.read_table(DAY.assignments)
    storage.write_table(DAY.assignments, rows[~rows["image_id"].isin(EXTRA)])
    merge_day(day_store(storage, DAY, monitor), SAMPLE)
    without = evaluated(storage, DAY, monitor)
    assert without.model_dump(exclude={"agreement"}) == with_extra.model_dump(exclude={"agreement"})


def test_late_images_weigh_by_their_supplements_own_stratum(storage: Storage, monitor: MonitorConfig) -> None:
    """40 late images, all cats, ten of them labelled; the model says dog on half of them."""
    write_day(storage, monitor)
    day = day_store(storage, DAY, monitor)
    late = [f"z{number:02d}" for number in range(40)]
    answers = pd.DataFrame({"image_id": late, "prediction": ["cat", "dog"] * 20, "model_version": "v1"})
    more = answers.assign(**{"score.cat": [0.9, 0.4] * 20, "score.dog": [0.1, 0.6] * 20})
    storage.write_table(DAY.predictions, pd.concat([storage.read_table(DAY.predictions), more], ignore_index=True))
    for key, images in ((DAY.sampled_manifest, list(STRATA)), (DAY.manifest, [*STRATA, *late])):
        storage.write_table(key, pd.DataFrame({"image_id": images, "status": "accepted"}))
    without = evaluated(storage, DAY, monitor)
    assert without.stands_for is not None
    assert (without.stands_for.images, without.accuracy.value) == (112, pytest.approx(100 / 110))

    plan, name = day.read(AnnotationPlan), "came late, supplement 1"
    part = plan.model_copy(
        update={
            "late": LateDraw(number=1, images=40, share=0.25), "extra": (), "pool_id": "8",
            "sample": tuple(SampledImage(image_id=image, key=image, stratum=name) for image in late[:10]),
            "strata": (Stratum(name=name, images=40, asked=10),),
        }
    )  # fmt: skip
    day.write(plan.model_copy(update={"supplements": (part,)}))
    storage.write_table(DAY.supplement(1), pd.DataFrame({"image_id": late}))
    rows = storage.read_table(DAY.assignments)
    said = [rows.head(1).assign(assignment_id="p9", image_id=image) for image in late[:10]]
    storage.write_table(DAY.assignments, pd.concat([rows, *said], ignore_index=True))
    merge_day(day, day.read(AnnotationPlan).asked_about)
    found = evaluated(storage, DAY, monitor)
    assert (found.labels, found.not_covered, found.stands_for) == (30, 2, None)
    assert found.accuracy.value == pytest.approx((90 + 10 + 20) / 150)
    assert [stratum.images for stratum in found.evidence.strata] == [90, 20, 2, 40]


@pytest.mark.parametrize("late", [False, True])
def test_a_day_that_is_judged_by_a_sample_weighs_by_all_its_images_and_reads_no_table_of_them_whole(
    storage: Storage, monitor: MonitorConfig, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    write_day(storage, monitor)
    day = day_store(storage, DAY, monitor)
    if late:
        more = storage.read_table(DAY.predictions).head(7).assign(image_id=[f"late{n}" for n in range(7)])
        answers = pd.concat([more, storage.read_table(DAY.predictions)])
        storage.write_table(DAY.predictions, answers)
        for key, images in ((DAY.sampled_manifest, list(STRATA)), (DAY.manifest, answers["image_id"])):
            storage.write_table(key, pd.DataFrame({"image_id": images, "status": "accepted"}))
    whole = evaluated(storage, DAY, monitor)
    judged = [
        *SAMPLE[::4],
        *(f"s{n}" for n in range(20, 60, 2)),
        *(f"u{n}" for n in range(12, 18)),
        *(["late3"] if late else []),
    ]
    storage.write_table(DAY.judged, pd.DataFrame({"image_id": judged}))
    accepted = 112 + 7 * late
    told = {"day": str(DAY.day), "accepted": accepted, "model_version": "v1", "judged": len(judged)}
    storage.write_json(DAY.ingest, samples.INGEST | told)
    answers = storage.read_arrow(DAY.predictions)
    with keeping_answers(day, answers.schema, None) as kept:
        kept.add_table(answers)
    monkeypatch.setattr(late_ids, "_HELD", 0)
    read = type(storage).read_bytes

    def of(self: Storage, key: str) -> bytes:
        assert key not in (DAY.manifest, DAY.sampled_manifest, DAY.predictions, DAY.strata), f"{key} is read whole"
        return read(self, key)

    monkeypatch.setattr(type(storage), "read_bytes", of)
    found = evaluated(storage, DAY, monitor)
    same = ("accuracy", "classes", "confusion_matrix", "labels", "sampled", "not_covered", "stands_for", "verdict")
    for name in same:
        assert getattr(found, name) == getattr(whole, name), name
    for ours, theirs in zip(found.evidence.strata, whole.evidence.strata, strict=True):
        assert (ours.name, ours.images, ours.cells) == (theirs.name, theirs.images, theirs.cells)
    # The scores of images that were not sampled are those of the images that the day is judged by.
    assert [stratum.scores.rest_n for stratum in found.evidence.strata] == [20, 6, 0]
    assert found.judged.value == pytest.approx(whole.judged.value, abs=0.02)

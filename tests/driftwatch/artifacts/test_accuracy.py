"""estimate.json, performance.json and whylabs.json are read as their models say, and written again to the byte."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy.decline import DayCount, decline
from driftwatch.accuracy.evidence import Evidence, evidence_of, votes_of
from driftwatch.accuracy.label_errors import corrected
from driftwatch.accuracy.policy import judge
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.without_labels import estimate, predictions_moved
from driftwatch.artifacts.accuracy import ConfusionMatrix, Estimate, Performance, WhyLabsAnalysis
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.parts import JudgedAccuracy
from driftwatch.config.performance import PerformanceConfig
from driftwatch.models.metrics import measure, share
from driftwatch.storage import Storage, open_storage

from . import samples
from .checks import read_whole, unknown_fields

DAY = MonitorKeys("demo").day(date(2026, 1, 10))
CLASSES = ("cat", "dog")
HOLDOUT = share(450, 500, 0.95)


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def same(made):
    """What a writer made, written and read again."""
    written = made.model_dump(mode="json", exclude_unset=True)
    found = type(made).model_validate_json(json.dumps(written))
    assert list(unknown_fields(found)) == []
    assert found == made
    assert found.model_dump(mode="json", exclude_unset=True) == written
    return found


@pytest.mark.parametrize(
    ("kind", "whole"),
    [
        (Estimate, samples.ESTIMATE),
        (Estimate, samples.NO_HOLDOUT),
        (Performance, samples.PERFORMANCE),
        (Performance, samples.NO_LABELS),
        (Performance, samples.NO_SPREAD),
        (Performance, samples.EARLY),
        (WhyLabsAnalysis, samples.WHYLABS),
        (WhyLabsAnalysis, {"verdict": "not_enough_evidence", "reasons": ["12 labels are too few"], "rows": []}),
    ],
)
def test_a_file_is_read_whole_and_written_again(storage, kind, whole):
    storage.write_json(DAY.file(kind.file), whole)
    read_whole(storage, DAY.file(kind.file), kind)


def test_a_day_of_an_early_driftwatch_has_no_evidence(storage):
    storage.write_json(DAY.performance, samples.EARLY)
    found = read_whole(storage, DAY.performance, Performance)
    assert (found.evidence, found.judged, found.revisions, found.pooled_days) == (None, None, (), ())


@pytest.mark.parametrize("n", [0, 1, 60])
def test_metrics_fit_with_undefined_shares_and_without(n):
    found = same(measure(["cat"] * n, (["cat", "dog"] * n)[:n], CLASSES))
    assert (found.accuracy.value is None) == (n == 0)
    assert found.classes["dog"].recall.reason == "no labelled image is dog"


@pytest.mark.parametrize("scores", [np.zeros(0), np.full(40, 0.8)])
@pytest.mark.parametrize("holdout", [HOLDOUT, share(0, 0, 0.95)])
def test_an_estimate_fits_with_and_without_images_and_holdout(scores, holdout):
    assert (same(estimate(scores, holdout, None, 0.95)).reason is None) == (len(scores) > 0 and holdout.n > 0)


def test_how_predictions_moved_fits():
    matrix = ConfusionMatrix(labels=CLASSES, rows=((50, 0), (0, 50)))
    assert same(predictions_moved(["dog"] * 30, matrix)).moved is True


@pytest.mark.parametrize("n", [10, 100])
def test_what_the_rules_find_fits(n):
    settings = PerformanceConfig(policy=("floor", "drop", "trend"))
    accuracy = JudgedAccuracy(value=0.5, low=0.4, high=0.6, n=n, effective_n=n, kind="measured", days=1)
    found = same(judge(accuracy, settings, HOLDOUT, (), decline([DayCount(100, 50, 0.9)], 1)).rules)
    assert (found.floor is None, found.drop is None, found.trend is None) == ((n == 10,) * 3)
    one = same(judge(accuracy, PerformanceConfig(policy=("floor",)), HOLDOUT).rules)
    assert set(one.model_dump(exclude_unset=True)) == ({"floor"} if n == 100 else set())


@pytest.mark.parametrize("labelled", [0, 40])
def test_evidence_is_kept_and_reckoned_with_again(labelled):
    ids = [f"i{number:02d}" for number in range(labelled)]
    said = [CLASSES[number % 2] for number in range(labelled)]
    predicted = {"prediction": said, "score.cat": [0.8] * labelled, "score.dog": [0.2] * labelled}
    labels = pd.DataFrame({"image_id": ids, "label": said, "votes": 2, "votes.unclear": 0})
    votes = pd.DataFrame(
        [(image, person, label) for image, label in zip(ids, said, strict=True) for person in ("a", "b")],
        columns=["task", "annotator", "answer"],
    )
    control = pd.DataFrame({"image_id": ["k"], "annotator_id": ["a"], "answer": ["cat"], "control": True, "known_label": "dog", "status": "ACCEPTED"})  # fmt: skip
    scored, rest = pd.DataFrame({"label": said, **predicted}), pd.DataFrame(predicted)
    evidence = evidence_of(scored, rest, votes_of(labels, votes, control, CLASSES), CLASSES)
    found = same(evidence.sums())
    assert Evidence.of(found).sums() == evidence.sums()
    assert found.votes.sizes == ({2: 40} if labelled else {})
    measured = agreement(evidence, 0.95, "prediction_powered")
    same(measured)
    same(corrected(evidence, evidence.votes, measured, 0.95).accuracy)

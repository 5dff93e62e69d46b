"""What a stratified day says is kept, adds up with plain days, and weighs by the images of each stratum."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy.evidence import Evidence, Scores, evidence_of, pool
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.strata import KnownStrata, with_masses
from driftwatch.artifacts.evidence import EvidenceSums

from .simulated import of_classes
from .stratified_days import stratum, uneven

CLASSES = ("cat", "dog")


def day(**facts: object) -> Evidence:
    plain, _ = of_classes(np.random.default_rng(1), 2, 0.05, n=100)
    return replace(plain, **facts)


def test_labels_weigh_by_the_images_that_they_stand_for() -> None:
    found = day(strata=uneven()).weighted
    assert found.sum() == pytest.approx(100)
    # 900 of 1,000 images have 50 labels, 100 the other 50.
    assert found.tolist() == [[pytest.approx(48 * 1.8 + 20 * 0.2), 2.0], [pytest.approx(3.6), pytest.approx(4)]]


def test_a_stratum_without_a_label_stands_for_nothing_and_the_others_for_themselves() -> None:
    one, other, none = with_masses(
        [stratum("a", 60, [(0, 0, 10)]), stratum("b", 20, [(1, 1, 10)]), stratum("c", 20, [])]
    )
    assert (one.mass, other.mass, none.mass) == (15, 5, 0)


def test_strata_are_kept_with_the_day_and_a_plain_day_writes_none() -> None:
    whole = day(strata=uneven())
    stored = EvidenceSums.model_validate_json(json.dumps(whole.sums().model_dump(mode="json", exclude_unset=True)))
    assert Evidence.of(stored).weighted.tolist() == whole.weighted.tolist()
    assert "strata" not in day().sums().model_dump(mode="json", exclude_unset=True)


def test_a_stratified_day_is_pooled_with_a_plain_one_by_their_labels() -> None:
    plain = day(scores=Scores())
    both = pool([plain, day(strata=uneven())])
    assert [stratum.mass for stratum in both.strata] == [plain.labels, 90, 10]
    expected = plain.right + 90 * 48 / 50 + 10 * 40 / 50
    found = agreement(both, 0.95, "labels")
    assert found.value == pytest.approx(expected / (plain.labels + 100))


def test_each_version_has_its_own_images_of_each_stratum() -> None:
    scored = pd.DataFrame(
        {"image_id": ["a", "b", "c"], "label": ["cat", "dog", "dog"], "prediction": ["cat", "cat", "dog"]}
    )
    rest = pd.DataFrame({"image_id": ["d", "e"], "prediction": ["cat", "dog"]})
    kind = pd.CategoricalDtype(["sure", "unsure", "of another version"])
    of_image = pd.Series({"a": "sure", "b": "sure", "c": "unsure", "d": "sure", "e": "unsure", "tie": "sure"}).astype(
        kind
    )
    sure, unsure = evidence_of(scored, rest, day().votes, CLASSES, KnownStrata.counted(of_image)).strata
    assert (sure.name, sure.images, sure.labels, sure.right) == ("sure", 4, 2, 1)
    assert (unsure.name, unsure.images, unsure.cells.tolist()) == ("unsure", 2, [[1, 1, 1]])

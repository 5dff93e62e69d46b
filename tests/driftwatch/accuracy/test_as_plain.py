"""A stratified sample, counted as a plain one."""

from __future__ import annotations

import pandas as pd

from driftwatch.accuracy.as_plain import as_plain
from driftwatch.artifacts.forgetting import FORGOTTEN


def test_each_pair_of_label_and_prediction_has_its_weighted_share_of_the_rows() -> None:
    scored = pd.DataFrame(
        {"image_id": [f"i{n:02d}" for n in range(20)], "label": ["cat"] * 10 + ["dog"] * 10, "prediction": "cat"}
    )
    weights = {name: 9.0 if place < 10 else 1.0 for place, name in enumerate(scored["image_id"])}
    found = as_plain(scored, weights)
    assert len(found) == 20
    assert found["label"].value_counts().to_dict() == {"cat": 18, "dog": 2}
    assert as_plain(scored.sample(frac=1, random_state=1), weights).equals(found)
    assert as_plain(scored, {}) is scored


def test_what_is_published_of_a_day_is_the_same_after_an_image_was_forgotten() -> None:
    scored = pd.DataFrame({"image_id": [f"i{n:02d}" for n in range(20)], "label": "cat", "prediction": "cat"}).assign(
        score=[n / 20 for n in range(20)]
    )
    weights = {name: 3.0 if place % 2 else 1.0 for place, name in enumerate(scored["image_id"])}
    published = as_plain(scored, weights)["score"].tolist()
    assert published == sorted(published)
    for name in scored["image_id"]:
        other = {image_id: FORGOTTEN if image_id == name else image_id for image_id in weights}
        again = as_plain(
            scored.assign(image_id=scored["image_id"].map(other)),
            {other[key]: weight for key, weight in weights.items()},
        )
        assert again["score"].tolist() == published

"""A day's pages, by their addresses."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2026-1-5", "A day is written as YYYY-MM-DD."),
        ("20260105", "A day is written as YYYY-MM-DD."),
        ("2026-02-30", "A day is written as YYYY-MM-DD."),
        ("1999-12-31", "Days from 2000-01-01 to 2099-12-31 can be shown."),
        ("2100-01-01", "Days from 2000-01-01 to 2099-12-31 can be shown."),
    ],
)
def test_an_address_that_is_of_no_day_says_how_a_day_is_written(client: Any, day: str, said: str) -> None:
    answer = client.get(f"/m/ours/days/{day}/report.html")
    assert answer.status_code == 404
    assert said in answer.text


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("report.html", "There is no report of 2026-01-05: it is not written yet, or storage.keep has removed it."),
        (f"images/{'0' * 64}.jpg", "2026-01-05 has no such image."),
        ("images/../secret.jpg", "Not Found"),
        ("images/ABC.jpg", "An image id is a SHA-256 in 64 hexadecimal digits."),
    ],
)
def test_what_a_day_has_not_is_not_found(client: Any, address: str, said: str) -> None:
    answer = client.get(f"/m/ours/days/2026-01-05/{address}")
    assert answer.status_code == 404
    assert said in answer.text


def test_a_feature_that_is_not_stored_is_told_to_the_chart(client: Any) -> None:
    answer = client.get("/m/ours/days/2026-01-05/distribution.json?feature=image.Brightness.mean")
    assert (answer.status_code, answer.json()) == (
        404,
        {"detail": "This feature's values are not stored for this day."},
    )


def test_a_distribution_is_shown_against_the_days_that_the_day_was_compared_with(client: Any, tmp_path: Path) -> None:
    storage, keys = open_storage(f"file://{tmp_path}"), MonitorKeys("ours")
    states = [{"name": "trailing", "verdict": "ok", "p_value": 0.4}]
    found = {
        "day": "2026-01-05",
        "nearest": "trailing",
        "state": "trailing",
        "states": states,
        "baseline_days": ["2026-01-04"],
    }
    storage.write_json(keys.day(date(2026, 1, 5)).drift, samples.DAY_DRIFT | found)
    stored = {
        keys.reference_features(samples.DAY_DRIFT["reference_version"]): 7,
        keys.day(date(2026, 1, 4)).features: 3,
        keys.day(date(2026, 1, 5)).features: 5,
    }
    for key, images in stored.items():
        storage.write_table(key, pd.DataFrame({"image.Brightness.mean": [float(images)] * images}))
    answer = client.get("/m/ours/days/2026-01-05/distribution.json?feature=image.Brightness.mean")
    assert answer.status_code == 200, answer.text
    assert (answer.json()["n"], answer.json()["reference_n"]) == (5, 3)

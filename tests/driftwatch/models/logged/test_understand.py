"""Production's names and times in the monitor's terms."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from driftwatch.models.logged.understand import BAD_TIME, Names, understand

from .days import config


def names(tmp_path, classes=("Größe", "dog"), **logged: Any) -> Names:
    made = config(tmp_path, classes=classes, columns={"key": "k", "prediction": "p"}, **logged)
    assert made.model.logged is not None
    return Names(made.classes, made.model.logged)


def test_a_name_is_found_as_it_is_by_the_mapping_or_in_another_case(tmp_path):
    found = names(tmp_path, mapping={"n01": "dog", "Katze": "Größe"})
    assert found.known("n01") == ("dog", False)
    assert found.known("KATZE") == ("Größe", True)
    assert found.known("dog") == ("dog", False)
    assert found.known(" DOG ") == ("dog", True)
    assert found.known("gro\u0308\u00dfe") == ("Größe", True)
    assert found.known("doge") == (None, False)


@pytest.mark.parametrize(("first", "number", "expected"), [(0, "0", "Größe"), (1, "1", "Größe"), (1, "2", "dog"), (0, "1.0", "dog"), (0, "1.5", None), (None, "1.0", None), (1, "0", None), (0, "2", None), (None, "0", None)])  # fmt: skip
def test_numbers_are_places_where_the_setting_says_so(tmp_path, first, number, expected):
    assert names(tmp_path, class_numbers=first).resolve(number) == expected


def test_a_number_can_be_the_name_of_a_class(tmp_path):
    assert names(tmp_path, classes=("7", "8")).resolve("8") == "8"
    assert names(tmp_path, classes=("7", "8"), class_numbers=0).resolve("8") is None


SECOND = 1_772_618_400  # 2026-03-04T10:00:00Z
SAME = [
    pd.Timestamp("2026-03-04T10:00:00Z"),
    "2026-03-04T10:00:00Z",
    "2026-03-04 11:00:00+01:00",
    "2026-03-04T10:00:00.000Z",
    str(SECOND),
    SECOND,
    SECOND * 1000,
    SECOND * 10**6,
    SECOND * 10**9,
    float(SECOND),
    pd.Timestamp("2026-03-04T10:00:00Z").isoformat(),
]


def times(values: pd.Series, tmp_path) -> tuple[list[int], list[str]]:
    made = config(tmp_path, columns={"key": "k", "prediction": "p", "time": "t"})
    found = understand(pd.DataFrame({"prediction": ["cat"] * len(values), "time": values}), made)
    return found.times.tolist(), found.reasons.tolist()


def test_times_of_every_kind_are_compared(tmp_path):
    found, reasons = times(pd.Series(SAME, dtype=object), tmp_path)
    assert found == [SECOND * 10**9] * len(SAME)
    assert set(reasons) == {""}


def test_a_date_without_dashes_is_no_number(tmp_path):
    found, _ = times(pd.Series(["20260304", "2026-03-04T00:00:00Z"], dtype=object), tmp_path)
    assert found[0] == found[1]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_parquet_are_compared_whatever_their_unit(tmp_path, unit):
    column = pd.Series(pd.to_datetime(["2026-03-04T10:00:00.5Z", None])).astype(f"datetime64[{unit}, UTC]")
    found, reasons = times(column, tmp_path)
    assert found[0] // 10**9 == SECOND
    assert reasons == ["", BAD_TIME]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("zone", ["", ", UTC"])
@pytest.mark.parametrize("year", ["0001", "9999"])
def test_a_time_of_parquet_that_stands_for_none_is_named(tmp_path, unit, zone, year):
    """Databases write the first or the last year that they have."""
    column = pd.Series([f"{year}-12-31T00:00:00", "2026-03-04T10:00:00"]).astype(f"datetime64[{unit}]")
    column = column.dt.tz_localize("UTC") if zone else column
    found, reasons = times(column, tmp_path)
    assert (found[1] // 10**9, reasons) == (SECOND, [BAD_TIME, ""])


@pytest.mark.parametrize("value", [None, "", "yesterday", -5, 0, 20260304, 1e300, 10**400, float("nan")])
def test_what_is_no_time_is_named(tmp_path, value):
    assert times(pd.Series([value, "2026-03-04T10:00:00Z"], dtype=object), tmp_path)[1] == [BAD_TIME, ""]

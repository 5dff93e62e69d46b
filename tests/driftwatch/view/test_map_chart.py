"""The map as a still picture in the report."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.day_map import DayMap, MapPoints
from driftwatch.artifacts.drift import ContentDrift
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch.view.map_chart import in_report, map_chart
from driftwatch.view.report import write_report

DAY = date(2026, 1, 5)
IDS = tuple(f"{n:064d}" for n in range(4))
FOUND = DayMap(
    day=DAY, reference_version="v1", shares=(0.4, 0.2), images=4,
    of_day=MapPoints(images=IDS, x=(0.0, 1.0, 2.0, 10.0), y=(0.0, 1.0, 2.0, 5.0)), of_reference=MapPoints(images=("", ""), x=(0.0, 1.0), y=(0.0, -5.0)),
)  # fmt: skip


def points(drawn: str, name: str) -> list[tuple[int, int]]:
    (path,) = re.findall(rf'<path class="{name}" d="([^"]*)"', drawn)
    return [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h0", path)]


def test_each_point_is_drawn_once_where_it_lies_and_the_wrong_ones_by_themselves() -> None:
    chart = map_chart(FOUND, {IDS[3], "another"})
    assert points(chart.drawn, "of-reference") == [(8, 190), (70, 372)]
    assert points(chart.drawn, "of-day") == [(8, 190), (70, 154), (133, 117)]
    assert points(chart.drawn, "of-wrong") == [(632, 8)]
    assert chart.wrong == 1
    assert "40 % and 20 % of all differences" in chart.said


@pytest.mark.parametrize(("verdict", "there"), [("drifted", True), ("ok", False)])
def test_the_report_of_a_day_whose_content_changed_has_it(
    build_day: Callable[..., None], storage: Storage, config: MonitorConfig, verdict: str, there: bool
) -> None:
    build_day(DAY)
    day = MonitorStore(storage, config).day(DAY)
    ids = tuple(storage.read_table(day.keys.predictions)["image_id"].iloc[:4])
    day.write(FOUND.model_copy(update={"of_day": FOUND.of_day.model_copy(update={"images": ids})}))
    content = typed(ContentDrift, samples.CONTENT_DRIFT, day=str(DAY))
    tested = content.content.model_copy(update={"verdict": verdict, "examples": ()})
    day.write(content.model_copy(update={"content": tested}))
    chart = in_report(day, day.read(ContentDrift))
    assert ("map-of" in storage.read_bytes(write_report(day)).decode().partition("</style>")[2]) is there
    if chart is None:
        assert not there
        return
    tables = (storage.read_table(key).set_index("image_id") for key in (day.keys.labels, day.keys.predictions))
    told = pd.concat([next(tables)["label"], next(tables)["prediction"]], axis=1).loc[list(ids)].dropna()
    assert chart.wrong == int((told["label"] != told["prediction"]).sum())
    assert len(points(chart.drawn, "of-day")) + chart.wrong == 4

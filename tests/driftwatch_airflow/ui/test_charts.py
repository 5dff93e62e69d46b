"""What the monitor page's charts do, in a browser: ranges, steps, weeks, lines told apart, what is asked for only when it is needed. The pages are
the real ones; Airflow knows of no run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config.loader import load_monitor
from driftwatch.storage import Storage, open_storage
from driftwatch_airflow.paths import URL_PREFIX
from driftwatch_sandbox.demo.world import ROOT
from driftwatch_sandbox.demo.year import FIRST, SECOND, Year
from driftwatch_servers.serving import running

from .conftest import Manager, app_for

LAST, DAYS, MANY = date(2026, 6, 14), 70, 100
CHAMPION_SINCE = LAST - timedelta(days=DAYS - 1 - int(0.54 * DAYS) - 1)


class Charts:
    """The pages at `url`, in one browser. `opened(monitor)`: its page, once the charts are drawn."""

    def __init__(self, url: str, browser: Any, storage: Storage) -> None:
        self.url, self.browser, self.storage = url, browser, storage
        self.wrong: list[str] = []
        self.asked: list[str] = []

    def opened(self, monitor: str, width: int = 1280) -> Any:
        page = self.browser.new_page(viewport={"width": width, "height": 900})
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.goto(f"{self.url}/m/{monitor}/")
        page.wait_for_selector("#labels-chart canvas")
        page.locator("#matrix-note", has_text="labelled images").wait_for()
        return page


def made(page: Any, chart: str, what: str) -> Any:
    """A property of a chart, as uPlot has it."""
    return page.evaluate(f"document.getElementById('board').monitor.plots.made['{chart}'].{what}")


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory, browser: Any) -> Iterator[Charts]:
    """A monitor of one day, one of many days whose reference changes with the model, and one of a hundred classes."""
    home = tmp_path_factory.mktemp("charts")
    monitors = home / "monitors"
    monitors.mkdir()
    raw = yaml.safe_load((ROOT / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["storage"]["uri"] = f"file://{home}/storage"
    long = [f"a class whose name has forty letters {place:04d}" for place in range(MANY)]
    kinds: dict[str, tuple[int, dict[str, Any]]] = {"one": (1, {}), "many": (DAYS, {}), "wide": (3, {"classes": long})}
    for name, (days, changes) in kinds.items():
        (monitors / f"{name}.yaml").write_text(yaml.safe_dump({**raw, "name": name, **changes}))
        config = load_monitor(monitors / f"{name}.yaml")
        Year(open_storage(config.storage.uri), config, LAST, days).write()
    storage = open_storage(raw["storage"]["uri"])
    _other_reference(storage, MonitorKeys("many"))
    with pytest.MonkeyPatch.context() as patch:
        allowed = {f"{name}_{dag}" for name in kinds for dag in ("monitoring", "retraining")}
        served = FastAPI()
        served.mount(URL_PREFIX, app_for(Manager(allowed), monitors, patch))
        with running(served) as url:
            found = Charts(url + URL_PREFIX, browser, storage)
            yield found
    assert found.wrong == []


def _other_reference(storage: Storage, keys: MonitorKeys) -> None:
    """The second model's days are tested against another reference, and their content is known."""
    day = CHAMPION_SINCE
    while day <= LAST:
        drift = storage.read_json(keys.day(day).drift)
        for row in drift["features"]:
            row["reference_quantiles"] = [value + 10 for value in row["reference_quantiles"]]
        storage.write_json(keys.day(day).drift, drift)
        storage.write_json(keys.day(day).content_drift, {**samples.CONTENT_DRIFT, "day": str(day)})
        day += timedelta(days=1)


def test_one_day_has_a_day_of_room_and_no_years(charts: Charts) -> None:
    page = charts.opened("one")
    for chart in ("performance-chart", "feature-chart", "labels-chart"):
        scale = made(page, chart, "scales.x")
        assert scale["max"] - scale["min"] == 86400, chart
    page.close()


def test_the_reference_is_level_until_it_jumps_where_the_model_takes_over(charts: Charts) -> None:
    page = charts.opened("many")
    board = "document.getElementById('board').monitor"
    feature = f"{board}.data.features[{board}.features.chosen]"
    runs = page.evaluate(f"{board}.plots.runs((i) => {feature}.reference_of[i])")
    takeover = page.evaluate(f"{board}.data.days.indexOf({board}.data.takeovers[0].day)")
    assert runs == [[0, takeover - 1], [takeover, DAYS - 1]]
    # No curve slopes from one reference to the other.
    assert page.evaluate(f"[1, 2, 3].map((k) => {board}.plots.made['feature-chart'].series[k].paths())") == [None] * 3
    page.close()


def test_corrected_and_estimate_are_two_lines_with_two_names_colours_and_dashes(charts: Charts) -> None:
    page = charts.opened("one")
    lines = [made(page, "performance-chart", f"series[{place}]") for place in (5, 6)]
    assert [line["label"] for line in lines] == ["corrected for wrong labels", "estimate from scores, without labels"]
    assert lines[0]["dash"] != lines[1]["dash"]
    keys = [page.locator(f".k-{name}") for name in ("corrected", "estimated")]
    assert [key.is_visible() for key in keys] == [True, True]
    page.close()


def test_of_many_days_the_week_is_drawn_and_each_day_is_still_told(charts: Charts) -> None:
    page = charts.opened("many")
    assert page.locator("[data-many=yes]").first.is_visible()
    board = "document.getElementById('board').monitor"
    week = page.evaluate(f"{board}.data.performance.accuracy.week.value")
    assert made(page, "performance-chart", "data[3]") == week
    told = page.locator("#performance-chart .u-series", has_text="Accuracy").locator(".u-value").inner_text()
    assert told == page.evaluate(f"{board}.data.performance.accuracy.text.at(-1)")
    page.click("[data-days='30']")
    assert not page.locator("[data-many=yes]").first.is_visible()
    assert made(page, "performance-chart", "data[3]") == page.evaluate(
        f"{board}.data.performance.accuracy.value.slice(-30)"
    )
    page.close()


def test_a_first_day_after_the_last_is_meant_the_other_way_round_and_the_active_range_is_marked(charts: Charts) -> None:
    page = charts.opened("many")
    marked = page.locator("[data-days][aria-pressed=true]")
    assert marked.all_inner_texts() == ["All"]
    page.fill("#first", str(LAST))
    page.fill("#last", str(LAST - timedelta(days=29)))
    assert (page.input_value("#first"), page.input_value("#last")) == (str(LAST - timedelta(days=29)), str(LAST))
    assert marked.all_inner_texts() == ["30 days"]
    page.fill("#first", str(LAST - timedelta(days=3)))
    assert marked.count() == 0
    page.close()


def test_the_matrix_counts_the_champions_days_until_another_choice(charts: Charts) -> None:
    page = charts.opened("many")
    options = page.locator("#matrix-day option").all_inner_texts()
    assert options[0].startswith(f"{SECOND}, the champion: ")
    assert options[1].startswith(f"{FIRST}: ")
    days = int(options[0].rpartition(": ")[2].split()[0])
    keys = MonitorKeys("many")
    measured = [charts.storage.read_json(keys.day(LAST - timedelta(days=back)).performance) for back in range(days)]
    right = sum(row["confusion_matrix"]["rows"][k][k] for row in measured for k in (0, 1))
    shown = [int(text or 0) for text in page.locator("#matrix td.cell b").all_text_contents()]
    assert shown[0] + shown[3] == right
    assert f"Answered by {SECOND}." in page.locator("#matrix-note").inner_text()
    page.select_option("#matrix-day", "all")
    page.locator("#matrix-note", has_text="2 models, whose mistakes are mixed here").wait_for()
    page.close()


def test_a_class_is_asked_for_when_it_is_chosen_and_once(charts: Charts) -> None:
    charts.asked.clear()
    page = charts.opened("many")
    page.locator("#kinds").scroll_into_view_if_needed()
    page.wait_for_selector("#cost-chart canvas")
    assert not [url for url in charts.asked if "class.json" in url]
    page.select_option("#measure", label="Recall of dog")
    page.locator("#performance-title", has_text="Recall of dog").wait_for()
    page.select_option("#answer", "dog")
    page.wait_for_selector("#predictions-chart canvas[aria-label*='Share of dog']")
    assert len([url for url in charts.asked if "class.json" in url]) == 1
    page.close()


def test_the_other_charts_are_drawn_in_sight_with_their_numbers_as_tables(charts: Charts) -> None:
    page = charts.opened("many")
    assert page.locator("#volume-chart canvas").count() == 0
    page.locator("#kinds").scroll_into_view_if_needed()
    page.wait_for_selector("#cost-chart canvas")
    keys = MonitorKeys("many").day(LAST)
    for name, wanted in (
        ("volume", [charts.storage.read_json(keys.ingest)[part] for part in ("listed", "accepted")]),
        ("content", [samples.CONTENT_DRIFT["content"]["verdict"]]),
        ("cost", [charts.storage.read_json(keys.annotation)["sample_size"]["images"]]),
    ):
        page.locator(f"details:has(#{name}-table) summary").click()
        first = page.locator(f"#{name}-table tbody tr").first
        first.wait_for()
        assert first.locator("td").all_inner_texts()[: 1 + len(wanted)] == [str(LAST), *map(str, wanted)]
    page.close()


@pytest.mark.parametrize("width", [1280, 400])
def test_a_hundred_classes_of_long_names_fit_the_screen_and_narrow_tables_are_cards(charts: Charts, width: int) -> None:
    page = charts.opened("wide", width)
    page.locator("#kinds").scroll_into_view_if_needed()
    page.wait_for_selector("#cost-chart canvas")
    page.locator("details:has(#performance-table) summary").click()
    page.locator("#performance-table tbody tr").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    shown = page.locator("#matrix td").first.evaluate("cell => getComputedStyle(cell).display")
    assert shown == ("grid" if width == 400 else "table-cell")
    box = page.locator("#matrix")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    page.close()


@pytest.mark.parametrize("monitor", ["many", "wide"])
@pytest.mark.parametrize(
    "address", [pytest.param("", marks=pytest.mark.all_faults("axe-core reads each row of long tables")), "models"]
)
def test_axe_finds_nothing_serious_and_a_narrow_screen_cuts_nothing(charts: Charts, monitor: str, address: str) -> None:
    page = charts.browser.new_page(viewport={"width": 400, "height": 900}, color_scheme="dark")
    page.goto(f"{charts.url}/m/{monitor}/{address}")
    if not address:
        page.locator("#kinds").scroll_into_view_if_needed()
        page.wait_for_selector("#cost-chart canvas")
    for details in page.locator("details").all():
        details.evaluate("details => { details.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    if address:
        box = page.locator("td[data-name=Difference]").first.bounding_box()
        assert box["x"] + box["width"] <= 400
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in ("serious", "critical")] == []
    page.close()

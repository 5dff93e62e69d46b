"""The monitor page's confusion matrix of few and of many classes, in a browser, by the page's own script and styles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.config import MonitorConfig
from driftwatch.view.confusions import of_days
from driftwatch.view.days import Day
from driftwatch.view.series import series
from driftwatch_airflow.ui.pages import as_json
from driftwatch_sandbox.demo.world import ROOT
from driftwatch_servers.serving import running

STATIC = ROOT / "plugins" / "driftwatch_airflow" / "ui" / "static"
REPORT_CSS = ROOT / "include" / "driftwatch" / "view" / "report" / "templates" / "report.css"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="icon.svg">
<link rel="stylesheet" href="report.css"><link rel="stylesheet" href="driftwatch.css"><link rel="stylesheet" href="tables.css"><script src="charts.js" type="module"></script>
<main class="wide-page"><div id="board" data-series="series.json" data-confusions="confusions.json"><p id="state"></p><div class="toolbar"><input id="first"><input id="last"></div>
<section class="card"><label class="pick">Shown <select id="measure"></select></label><h3 id="matrix-title"></h3>
<label class="pick">Of <select id="matrix-day"></select></label><div class="scroll" id="matrix" tabindex="0" role="region"></div>
<p class="note" id="matrix-note"></p></section></div></main>"""


def names(n: int) -> list[str]:
    return [
        f"a class whose name has forty letters {place:04d}" if place % 3 else f"写真 {place}" for place in range(n)
    ][::-1]


def counted(n: int, days: int) -> np.ndarray:
    random = np.random.default_rng(n)
    return np.asarray([np.diag(random.integers(4, 9, n)) + (random.random((n, n)) < 0.1) for _ in range(days)]).astype(
        int
    )


def _measured(day: date, classes: list[str], matrix: np.ndarray) -> Day:
    table = {"labels": classes, "rows": matrix.tolist()}
    share = {"value": 0.9, "low": 0.8, "high": 1, "n": 60}
    each = {"precision": share, "recall": share, "f1": share, "support": 60}
    found = {**samples.PERFORMANCE, "confusion_matrix": table, "classes": dict.fromkeys(classes, each)}
    return Day(day, performance=typed(Performance, found))


@pytest.mark.parametrize("n", [15, 100])
def test_the_matrix_fits_and_of_many_classes_the_most_frequent_confusions_stand_instead(
    n: int, browser: Any, small_monitor: Callable[..., MonitorConfig]
) -> None:
    classes, matrices = names(n), counted(n, 3)
    days = [_measured(date(2026, 1, 5 + place), classes, matrix) for place, matrix in enumerate(matrices)]
    config = small_monitor("file:///nowhere").model_copy(update={"classes": tuple(classes)})
    app = FastAPI()

    @app.get("/confusions.json")
    def give_confusions(first: date, last: date, model: str | None = None) -> Any:
        return HTMLResponse(as_json(of_days(days, config.classes, first, last, model)))

    @app.get("/{name:path}")
    def give(name: str) -> Any:
        if name in ("", "series.json"):
            return HTMLResponse(as_json(series(days, config)) if name else PAGE)
        return FileResponse(REPORT_CSS if name == "report.css" else STATIC / name)

    wrong: list[str] = []
    with running(app) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{url}/")
        page.wait_for_selector("#matrix table")
        total = matrices.sum(axis=0)
        if n <= 15:
            assert page.locator("#matrix th.row").all_text_contents() == classes
            shown = page.locator("#matrix td.cell b").all_text_contents()
            assert [int(text or 0) for text in shown] == total.ravel().tolist()
            assert "0" not in shown
        else:
            others = total - np.diag(np.diag(total))
            rows = [row.split("\t") for row in page.locator("#matrix tbody tr").all_inner_texts()][:20]
            assert [int(row[2]) for row in rows] == sorted(others.ravel(), reverse=True)[:20]
            first = [text.strip() for text in rows[0]]
            place, other = classes.index(first[0]), classes.index(first[1])
            assert others[place, other] == int(first[2])
        assert f"{int(total.sum())} labelled images of 3 days" in page.locator("#matrix-note").inner_text()
        page.select_option("#matrix-day", "2026-01-06")
        page.locator("#matrix-note", has_text="of 1 day;").wait_for()
        assert f"{int(matrices[1].sum())} labelled images of 1 day" in page.locator("#matrix-note").inner_text()
        assert page.locator("#measure option").all_text_contents()[0] == f"Precision of {classes[0]}"
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.locator("#matrix").bounding_box()["height"] < 1700
        page.close()
    assert wrong == []

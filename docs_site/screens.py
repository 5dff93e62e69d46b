"""Every page at three widths, in light and dark, whole: to be looked at by a person before a release. They are kept in var/screens.

python -m docs_site.screens [FOLDER]     # FOLDER: a finished run, by default var/demo; needs Debian's chromium

Says which pages are wider than the screen or lack a chart, and then ends with 1. Beside the run stand a generated year and a monitor of 30 classes with long names.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Browser, expect, sync_playwright

from docs_site.pictures import (
    BROKEN,
    NAME,
    NOT_DRAWN,
    OF_A_RUN,
    PAGES,
    YEAR_NAME,
    Shot,
    generated,
    opened,
    served,
    token_of,
)
from driftwatch_sandbox.demo.homes import SUMMARY, VAR

SCREENS = VAR / "screens"
WIDTHS = (1440, 1280, 400)
MANY_NAME, MANY, LAST = "thirty_classes", 30, "2026-01-11"
_DAY, _MANY = f"/driftwatch/m/{NAME}/days/{BROKEN}", f"/driftwatch/m/{MANY_NAME}"
MORE = {
    "evidence": Shot(f"{_DAY}/evidence", ready=".beside img"),
    "people": Shot(f"{_DAY}/people"),
    "year": Shot(f"/driftwatch/m/{YEAR_NAME}/", ready="canvas"),
    "many-monitor": Shot(f"{_MANY}/", ready="canvas"),
    "many-day": Shot(f"{_MANY}/days/{LAST}/"),
    "many-models": Shot(f"{_MANY}/models"),
}
MAP = Shot(f"{_DAY}/map", ready="canvas")


def main(arguments: list[str]) -> int:
    home = Path(arguments[0]) if arguments else VAR / "demo"
    run = home if (home / SUMMARY).exists() else None
    print(f"Screens of {home}" if run else f"There is no finished run in {home}: screens of generated days")
    shutil.rmtree(SCREENS, ignore_errors=True)
    SCREENS.mkdir(parents=True)
    wrong: list[str] = []
    shots = {**PAGES, **MORE, **({"map": MAP, "report": OF_A_RUN["report"]} if run else {})}
    with tempfile.TemporaryDirectory(prefix="driftwatch-screens-") as folder, served(Path(folder), run) as world:
        names = tuple(f"a class whose name has forty letters {number:04d}" for number in range(MANY))
        generated(world, MANY_NAME, 20, names)
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or sys.exit("Chromium is missing: apt-get install chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            url, token = world.url("airflow"), token_of(world)
            for name, shot in shots.items():
                for width in WIDTHS:
                    wrong += _take(browser, name, replace(shot, width=width), url, token)
    for said in wrong:
        print(said)
    print(f"Look at {SCREENS}")
    return 1 if wrong else 0


def _take(browser: Browser, name: str, shot: Shot, url: str, token: str) -> list[str]:
    """Takes both schemes; says of each what is wrong with it."""
    wrong = []
    for scheme in ("light", "dark"):
        screen = f"{name}-{shot.width}-{scheme}"
        page = opened(browser, shot, url, scheme, token)
        page.locator(shot.ready).first.wait_for()
        for figure in page.locator(".chart").all():  # a chart is drawn when it comes into sight
            figure.scroll_into_view_if_needed()
            page.wait_for_timeout(50)  # the browser looks what is in sight once a frame
        missing = page.locator(NOT_DRAWN).filter(
            has_not_text=re.compile(r"\S")
        )  # others say why there is nothing to draw
        try:
            expect(missing).to_have_count(0, timeout=20_000)
        except AssertionError:
            wrong += [f"{screen}: not drawn: {chart.get_attribute('id')}" for chart in missing.all()]
        if page.evaluate("document.documentElement.scrollWidth") > shot.width:
            wrong.append(f"{screen}: wider than the screen")
        page.screenshot(path=SCREENS / f"{screen}.png", full_page=True)
        page.context.close()
    return wrong


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

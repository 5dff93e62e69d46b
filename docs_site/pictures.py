"""Every picture of the documentation, made anew in light and dark, from what `make demo` left and a generated year; and the demo's report.

python -m docs_site.pictures [FOLDER]     # FOLDER: a finished run, by default var/demo; needs Debian's chromium

Without a finished run the pages show generated days, and what only a run has (`OF_A_RUN`) stays as it is.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import yaml
from playwright.sync_api import Browser, Page, expect, sync_playwright

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.loader import load_monitor
from driftwatch.storage import open_storage
from driftwatch.view.report import write_report
from driftwatch_sandbox.demo.homes import SUMMARY, VAR
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_sandbox.demo.year import Year
from driftwatch_servers.private_files import write_private

IMAGES = ROOT / "docs/images"
SCHEMES = {"light": "", "dark": "-dark"}
NAME, YEAR_NAME = "cats_vs_dogs", "generated_year"
LAST, BROKEN = date(2026, 1, 11), "2026-01-08"
LEFT_OUT = ("photos", "logs", "ports.json", "last", "failed")


@dataclass(frozen=True)
class Shot:
    """One picture: where it is taken, and how much of it is shown, in pixels. `ready`: what must be there first."""

    address: str
    ready: str = "h1"
    height: int = 1100
    width: int = 1280


PAGES = {
    "overview": Shot("/driftwatch/"),
    "monitor": Shot(f"/driftwatch/m/{NAME}/", ready="canvas"),
    "day": Shot(f"/driftwatch/m/{NAME}/days/{BROKEN}/"),
    "models": Shot(f"/driftwatch/m/{NAME}/models"),
}
OF_A_RUN = {
    "report": Shot(f"/driftwatch/m/{NAME}/days/{BROKEN}/report.html", width=1000),
    "labelling": Shot("/label/", ready="img", height=800),
}
REPORT = "report.html"
NOT_DRAWN = ".chart:visible:not(:has(canvas, svg))"


def main(arguments: list[str]) -> None:
    home = Path(arguments[0]) if arguments else VAR / "demo"
    run = (home / SUMMARY).exists()
    print(f"Pictures of {home}" if run else f"There is no finished run in {home}: pictures of generated days")
    with (
        tempfile.TemporaryDirectory(prefix="driftwatch-pictures-") as folder,
        served(Path(folder), home if run else None) as world,
    ):
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or sys.exit("Chromium is missing: apt-get install chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            token = token_of(world)
            for name, shot in (PAGES | ({"report": OF_A_RUN["report"]} if run else {})).items():
                take(browser, name, shot, world.url("airflow"), token)
            if run:
                _labelling(browser, world)
        if run:
            _report(world)


def _report(world: World) -> None:
    """The report of the broken day, without the buttons that lead to the run's own Airflow, which nobody else has."""
    config = load_monitor(world.monitors / f"{NAME}.yaml")
    day = MonitorStore(open_storage(f"file://{world.storage}"), config).day(date.fromisoformat(BROKEN))
    write_report(day)
    (IMAGES / REPORT).write_bytes(day.storage.read_bytes(day.keys.report))


@contextmanager
def served(home: Path, run: Path | None) -> Iterator[World]:
    """An api-server on a copy of the run, or on generated days, beside a generated year."""
    if run:
        shutil.copytree(
            run, home, dirs_exist_ok=True, ignore=lambda _, names: [name for name in names if name in LEFT_OUT]
        )
    world = World(home)
    world.monitors.mkdir(exist_ok=True)
    if not run:
        generated(world, NAME, 14)
    generated(world, YEAR_NAME, 365)
    try:
        world.prepare_airflow()
        world.processes.start("api-server", ["airflow", "api-server"], world.env)
        health = f"{world.url('airflow')}/api/v2/monitor/health"
        world.processes.wait_for_http("api-server", health, lambda answer: answer.is_success, 600)
        yield world
    finally:
        world.processes.stop()


def generated(world: World, name: str, days: int, classes: tuple[str, ...] = ()) -> None:
    """A monitor like the example's with so many generated days up to LAST; `classes`: its own, if it has other ones."""
    raw: dict[str, Any] = yaml.safe_load((ROOT / "include/monitors/cats_vs_dogs.yaml").read_text(encoding="utf-8"))
    raw |= {"name": name, "storage": {"uri": f"file://{world.storage}"}}
    raw |= {"classes": list(classes)} if classes else {}
    path = world.monitors / f"{name}.yaml"
    path.write_text(yaml.safe_dump(raw, sort_keys=False), encoding="utf-8")
    config = load_monitor(path)
    Year(open_storage(config.storage.uri), config, LAST, days, whole_days=min(days, 5)).write()


def token_of(world: World) -> str:
    login = {"username": "admin", "password": world.secrets.password}
    answer = httpx.post(f"{world.url('airflow')}/auth/token", json=login, timeout=120).raise_for_status()
    return str(answer.json()["access_token"])


def take(browser: Browser, name: str, shot: Shot, url: str, token: str) -> None:
    """Takes the picture in light and dark."""
    for scheme, ending in SCHEMES.items():
        page = opened(browser, shot, url, scheme, token)
        page.locator(shot.ready).first.wait_for()
        try:
            expect(page.locator(NOT_DRAWN)).to_have_count(0, timeout=60_000)
        except AssertionError:
            print(f"{shot.address}: not every chart is drawn", file=sys.stderr)
        _save(page, f"{name}{ending}", shot)


def opened(browser: Browser, shot: Shot, url: str, scheme: Any, token: str = "") -> Page:
    context = browser.new_context(viewport={"width": shot.width, "height": shot.height}, color_scheme=scheme)
    if token:
        context.add_cookies([{"name": "_token", "value": token, "url": url}])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{url}{shot.address}")
    return page


def _save(page: Page, name: str, shot: Shot) -> None:
    page.screenshot(path=IMAGES / f"{name}.png", clip={"x": 0, "y": 0, "width": shot.width, "height": shot.height})
    page.context.close()
    print(f"docs/images/{name}.png")


def _labelling(browser: Browser, world: World) -> None:
    """The labelling page with a pool of the last day's images."""
    from driftwatch_sandbox.demo.label import open_pool

    people, shot = world.home / "people.json", OF_A_RUN["labelling"]
    token = secrets.token_urlsafe(12)
    write_private(people, json.dumps({"you": token}))
    world.start_stand_ins(people=people)
    for name in ("toloka", "images"):
        world.processes.wait_for_http(name, f"{world.url(name)}/healthz", lambda answer: answer.is_success, 300)
    (file,) = [path for path in world.monitors.glob("*.yaml") if path.stem != YEAR_NAME]
    open_pool(world, load_monitor(file))
    for scheme, ending in SCHEMES.items():
        page = opened(browser, shot, world.url("toloka"), scheme)
        page.fill("#token", token)
        page.click("#login button")
        page.locator("#pools li button, #pools li a").first.click()
        page.locator("#work img").first.wait_for()
        page.keyboard.press("Escape")  # the instructions, which open by themselves
        page.wait_for_function("document.querySelector('#work img').naturalWidth > 0")
        _save(page, f"labelling{ending}", shot)


if __name__ == "__main__":
    main(sys.argv[1:])

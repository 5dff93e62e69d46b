"""How long the monitor page and the overview take to open in Chromium, and what they weigh, on an api-server of its own: the page of 30 and of 365
generated days, and the overview of 50 monitors with 30 days each. Markdown tables.

Opened first of all is the page of a monitor without a day: what the api-server and the browser do once in their life is not a page's.

python -m bench.page_open        # needs Debian's chromium; two to three minutes
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import yaml
from playwright.sync_api import sync_playwright

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitor
from driftwatch.storage import open_storage
from driftwatch.view.summaries import write_summaries
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_sandbox.demo.year import Year

LAST = date(2026, 6, 14)
SIZES, REPEATS = (30, 365), 5
EMPTY, MONITORS, OF_EACH = 0, 50, 30
# What the pages and all that they ask for weigh on their way, without what the browser has kept.
_WEIGHT = "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((sum, one) => sum + one.transferSize, 0)"


def main() -> None:
    world = World(Path(tempfile.mkdtemp(prefix="driftwatch-bench-")))
    world.monitors.mkdir(parents=True)
    for days in (EMPTY, *SIZES):
        config = _monitor(world, f"days_{days}")
        if days:
            Year(open_storage(config.storage.uri), config, LAST, days).write()
            _summarised(config)
    try:
        world.prepare_airflow()
        world.processes.start("api-server", ["airflow", "api-server"], world.env)
        url = world.url("airflow")
        world.processes.wait_for_http(
            "api-server", f"{url}/api/v2/monitor/health", lambda answer: answer.is_success, 180
        )
        login = {"username": "admin", "password": world.secrets.password}
        token = httpx.post(f"{url}/auth/token", json=login, timeout=60).raise_for_status().json()["access_token"]
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or sys.exit("Chromium is missing: apt-get install chromium")
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.add_cookies([{"name": "_token", "value": token, "url": url}])
            _measure(context.new_page(), world, url)
            load = ", ".join(f"{found:.1f}" for found in os.getloadavg())
            print(f"\nLoad of the machine meanwhile: {load} on {os.cpu_count()} cores")
    finally:
        world.processes.stop()
        shutil.rmtree(world.home, ignore_errors=True)


def _measure(page: Any, world: World, url: str) -> None:
    started = time.perf_counter()
    page.goto(f"{url}/driftwatch/m/days_{EMPTY}/")
    page.wait_for_selector("h2:has-text('No day was run yet')")
    print(f"First page of all, without a day: {time.perf_counter() - started:.2f} s\n")
    print("| page | first open, nothing in memory | again (median of 5) | weight |\n|---|---|---|---|")
    for days in SIZES:
        _row(page, f"a monitor of {days} days", f"{url}/driftwatch/m/days_{days}/", "#labels-chart canvas")
    for number in range(MONITORS - len(SIZES) - 1):  # the pages read a new file when they are asked next
        name = f"camera_{number:02d}"
        config = _monitor(world, name)
        shutil.copytree(world.storage / f"days_{OF_EACH}", world.storage / name)
        _summarised(config)
    last = f".monitors tbody tr:nth-of-type({MONITORS})"
    _row(page, f"the overview of {MONITORS} monitors", f"{url}/driftwatch/", last)


def _monitor(world: World, name: str) -> MonitorConfig:
    raw = yaml.safe_load((ROOT / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    raw["name"], raw["storage"]["uri"] = name, f"file://{world.storage}"
    path = world.monitors / f"{name}.yaml"
    path.write_text(yaml.safe_dump(raw))
    return load_monitor(path)


def _summarised(config: MonitorConfig) -> None:
    """As the last task of each day leaves the monitor."""
    write_summaries(MonitorStore(open_storage(config.storage.uri), config), LAST)


def _row(page: Any, what: str, address: str, ready: str) -> None:
    times = [_open(page, address, ready) for _ in range(REPEATS + 1)]
    weight = page.evaluate(_WEIGHT)
    print(f"| {what} | {times[0]:.2f} s | {statistics.median(times[1:]):.2f} s | {weight / 1000:.0f} KB |", flush=True)


def _open(page: Any, address: str, ready: str) -> float:
    """Seconds until the last part of the page is there."""
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(ready)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

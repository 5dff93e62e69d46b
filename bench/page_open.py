"""How long the monitor page takes to open in Chromium, on an api-server of its own, at 30 and 365 generated days; a Markdown table.

Opened first of all is the page of a monitor without a day: what the api-server and the browser do once in their life is not a page's.

python -m bench.page_open        # needs Debian's chromium; two to three minutes
"""

from __future__ import annotations

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

from driftwatch.config.loader import load_monitor
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo.world import ROOT, World
from driftwatch_sandbox.demo.year import Year

SIZES, REPEATS = (30, 365), 5
EMPTY = 0


def main() -> None:
    world = World(Path(tempfile.mkdtemp(prefix="driftwatch-bench-")))
    world.monitors.mkdir(parents=True)
    for days in (EMPTY, *SIZES):
        raw = yaml.safe_load((ROOT / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
        raw["name"], raw["storage"]["uri"] = f"days_{days}", f"file://{world.storage}"
        path = world.monitors / f"{raw['name']}.yaml"
        path.write_text(yaml.safe_dump(raw))
        config = load_monitor(path)
        if days:
            Year(open_storage(config.storage.uri), config, date(2026, 6, 14), days).write()
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
            page = context.new_page()
            started = time.perf_counter()
            page.goto(f"{url}/driftwatch/m/days_{EMPTY}/")
            page.wait_for_selector("h2:has-text('No day was run yet')")
            print(f"First page of all, without a day: {time.perf_counter() - started:.2f} s\n")
            print("| days | first open, nothing in memory | again (median of 5) |\n|---|---|---|")
            for days in SIZES:
                times = [_open(page, f"{url}/driftwatch/m/days_{days}/") for _ in range(REPEATS + 1)]
                print(f"| {days} | {times[0]:.2f} s | {statistics.median(times[1:]):.2f} s |")
    finally:
        world.processes.stop()
        shutil.rmtree(world.home, ignore_errors=True)


def _open(page: Any, address: str) -> float:
    """Seconds until the last chart of the page is drawn."""
    started = time.perf_counter()
    page.goto(address)
    page.wait_for_selector("#labels-chart canvas")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

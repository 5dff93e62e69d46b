"""The monitor pages as a browser sees them, on a real api-server: numbers, refusals, hostile names, keyboard, sizes, axe-core."""

from __future__ import annotations

import os
import re
from datetime import date, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from tests.stores import day_store

from driftwatch.images.inputs import DayInputs
from driftwatch_airflow.ui.app import _ROUTES

from . import broken_camera
from .conftest import SCRAPER, Served

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
LAST = date(2026, 6, 14)
PICTURES = os.environ.get("DRIFTWATCH_PICTURES")
ADDRESSES = {
    "overview": "/",
    "monitor": "/m/cats_vs_dogs/",
    "day": f"/m/cats_vs_dogs/days/{LAST}/",
    "evidence": f"/m/cats_vs_dogs/days/{LAST}/evidence",
    "people": f"/m/cats_vs_dogs/days/{LAST}/people",
    "image": f"/m/cats_vs_dogs/images/{LAST}/{sha256(f'{LAST} 0'.encode()).hexdigest()}/",
    "models": "/m/cats_vs_dogs/models",
    "empty": "/m/new_one/",
    "missing": "/m/nobody/",
}


def table(page: Any, name: str) -> list[list[str]]:
    """The cells of a chart's table, opened as a reader would; it is filled, whole, by an event that comes after the click."""
    page.locator(f"details:has(#{name}) summary").click()
    page.locator(f"#{name} tbody tr").first.wait_for()
    return page.locator(f"#{name} tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent))")


# In the plain suite each page has one screen: the four with most on them the narrow, dark one.
LARGE = ("overview", "monitor", "day", "models")
OTHER_SCREEN = pytest.mark.all_faults("one screen of each page is in the plain suite")
SCREENS = [
    pytest.param(
        name, width, scheme, id=f"{width}-{scheme}-{name}", marks=OTHER_SCREEN if narrow != (name in LARGE) else ()
    )
    for width, scheme, narrow in ((1280, "light", False), (400, "dark", True))
    for name in ADDRESSES
]


@pytest.mark.parametrize(("name", "width", "scheme"), SCREENS)
def test_each_page_fits_its_screen_without_complaints_and_axe_finds_nothing_serious(
    pages: Any, name: str, width: int, scheme: str
) -> None:
    pages.complaints.clear()
    page = pages.opened(ADDRESSES[name], width=width, scheme=scheme)
    if name == "monitor":
        page.wait_for_selector("#performance-chart canvas")
    expected = ["404"] if name == "missing" else []
    assert [line for line in pages.complaints if not any(code in line for code in expected)] == []
    fits_and_is_accessible(page, f"{name}-{width}-{scheme}")
    page.context.close()


def fits_and_is_accessible(page: Any, name: str) -> None:
    """No page is wider than the screen, and axe-core finds nothing serious."""
    from axe_playwright_python.sync_playwright import Axe

    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    found = Axe().run(page).response["violations"]
    serious = [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in ("serious", "critical")]
    assert serious == []
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


# The day's page of 10 classes has the sections of its report, which is looked at below; the report of 100 those of its day's page.
@pytest.mark.parametrize(
    ("classes", "scheme", "address"),
    [
        (10, "light", ""),
        (10, "light", "models"),
        (100, "dark", ""),
        (100, "dark", "models"),
        (100, "dark", f"days/{LAST}/"),
    ],
)
def test_many_classes_with_long_names_fit_a_narrow_screen(pages: Any, classes: int, scheme: str, address: str) -> None:
    pages.complaints.clear()
    page = pages.opened(f"/m/classes_{classes}/{address}", width=400, scheme=scheme)
    fits_and_is_accessible(page, f"classes-{classes}-{address.partition('/')[0] or 'monitor'}")
    assert pages.complaints == []
    page.context.close()


@pytest.mark.parametrize(
    ("monitor", "day", "width", "scheme"),
    [
        (broken_camera.NAME, broken_camera.LAST, 1280, "light"),
        ("classes_10", LAST, 400, "dark"),
    ],
)
def test_a_report_is_a_file_that_fits_its_screen_and_axe_finds_nothing_serious(
    pages: Any, tmp_path: Path, monitor: str, day: date, width: int, scheme: str
) -> None:
    file = tmp_path / "report.html"
    # Its own policy lets no script in, and axe-core is one.
    report = pages.storage.read_bytes(pages.layout(monitor).day(day).report).decode()
    file.write_text(re.sub(r"<meta http-equiv=.*?>", "", report), encoding="utf-8")
    page = pages.page(width=width, scheme=scheme)
    page.goto(file.as_uri())
    fits_and_is_accessible(page, f"report-{monitor}")
    page.context.close()


def test_the_charts_show_the_numbers_of_the_artifacts(pages: Any) -> None:
    page, layout, storage = pages.opened(ADDRESSES["monitor"]), pages.layout(), pages.storage
    feature = page.locator("[data-feature][aria-pressed=true]").get_attribute("data-feature")
    rows = table(page, "feature-table")
    assert [row[0] for row in rows] == [str(LAST - timedelta(days=back)) for back in range(60)]
    for row in rows:
        drift = storage.read_json(layout.day(date.fromisoformat(row[0])).drift)
        wanted = next(entry for entry in drift["features"] if entry["feature"] == feature)
        assert row[1] == wanted["verdict"]
        assert [float(value) for value in row[2:7]] == pytest.approx(wanted["day_quantiles"], rel=1e-3)
        theirs = [wanted["reference_quantiles"][place] for place in (0, 2, 4)]
        assert [float(value) for value in row[7:10]] == pytest.approx(theirs, rel=1e-3)
        assert row[11] == drift["reference_version"]
    retrained = 0
    measured = [storage.read_json(layout.day(LAST - timedelta(days=back)).performance) for back in range(60)]
    for row, wanted in zip(table(page, "performance-table"), measured, strict=True):
        shown = [float(value.removesuffix(" %")) for value in row[2:6]]
        accuracy = wanted["accuracy"]
        numbers = [100 * accuracy["value"], 100 * accuracy["low"], 100 * accuracy["high"], 100 * wanted["floor"]]
        assert shown == pytest.approx(numbers, abs=0.051)
        assert row[1] == wanted["verdict"].replace("_", " ")
        gate = pages.storage.path(layout.retraining(f"perf_alert__{row[0]}", "gate.json"))
        assert row[-1] == ("v0002-4e5f6071, gate passed" if Path(gate).exists() else "–")
        retrained += row[-1] != "–"
    assert retrained == 1
    for row, wanted in zip(table(page, "labels-table"), measured, strict=True):
        assert (int(row[1]), int(row[2])) == (wanted["sampled"], wanted["labels"])
        assert float(row[4]) == pytest.approx(wanted["agreement"]["alpha"], rel=1e-3)
    total = sum(np.array(wanted["confusion_matrix"]["rows"]) for wanted in measured)
    page.select_option("#matrix-day", "all")
    page.locator("#matrix-note", has_text="2 models").wait_for()
    shown = page.locator("#matrix td.cell b").all_text_contents()
    assert [int(n or 0) for n in shown] == total.ravel().tolist()
    page.select_option("#measure", label="Recall of dog")
    page.locator("#performance-table th", has_text="Recall of dog").wait_for()
    for row, wanted in zip(page.locator("#performance-table tbody tr").all(), measured, strict=True):
        found = wanted["classes"]["dog"]["recall"]["value"]
        assert row.locator("td").nth(2).text_content() == ("–" if found is None else f"{round(100 * found, 1):g} %")
        if measured.index(wanted) == 5:
            break
    page.context.close()


def test_a_distribution_counts_the_images_of_the_day_and_of_the_reference(pages: Any) -> None:
    page, layout = pages.opened(ADDRESSES["monitor"]), pages.layout()
    feature = page.locator("[data-feature]").nth(3)
    feature.click()
    name = feature.get_attribute("data-feature")
    page.wait_for_selector(f"#distribution-chart canvas[aria-label*='{LAST}']")
    rows = table(page, "distribution-table")
    values = pages.storage.read_table(layout.day(LAST).features)[name].to_numpy()
    drift = pages.storage.read_json(layout.day(LAST).drift)
    theirs = pages.storage.read_table(layout.reference_features(drift["reference_version"]))[name].to_numpy()
    number = re.compile(r"[\d.]+")
    for column, sample in ((2, values), (3, theirs)):
        shares = [float(number.match(row[column])[0]) for row in rows]  # type: ignore[index]
        assert sum(shares) == pytest.approx(100, abs=1)
        edges = [float(row[0]) for row in rows] + [float(rows[-1][1])]
        inner = [100 * ((sample >= low) & (sample < high)).mean() for low, high in pairwise(edges[1:-1])]
        assert shares[1:-1] == pytest.approx(inner, abs=2)
    page.context.close()


def test_every_address_refuses_who_is_not_logged_in_and_every_change(pages: Any) -> None:
    values = {"monitor": "cats_vs_dogs", "day": str(LAST), "place": str(LAST), "image_id": "0" * 64, "dag_id": "cats_vs_dogs_monitoring", "run_id": "x", "by": "camera", "name:path": "charts.js"}  # fmt: skip
    for route in _ROUTES:
        address = re.sub(r"\{(.+?)\}", lambda found: values[found[1]], route)
        answer = httpx.get(f"{pages.url}/driftwatch{address}", follow_redirects=False)
        # Style and script are open: the page that asks for a login has them, and they say nothing of a monitor.
        assert answer.status_code == (200 if route.startswith("/static/") else 401), address
        assert "cats_vs_dogs" not in re.sub(r"next=[^\"]*", "", answer.text), address
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            headers = {"Authorization": f"Bearer {pages.token}"}
            assert httpx.request(method, f"{pages.url}/driftwatch{address}", headers=headers).status_code == 405, (
                address
            )
    for hidden in ("/docs", "/openapi.json", "/redoc"):
        assert httpx.get(f"{pages.url}/driftwatch{hidden}").status_code == 404
    page = pages.opened(ADDRESSES["monitor"], logged_in=False)
    assert (
        page.get_by_role("link", name="Log in to Airflow")
        .get_attribute("href")
        .endswith("next=/driftwatch/m/cats_vs_dogs/")
    )
    page.context.close()


def test_no_day_monitor_or_image_id_leads_out_of_the_monitors_days(pages: Any) -> None:
    client = httpx.Client(base_url=f"{pages.url}/driftwatch", headers={"Authorization": f"Bearer {pages.token}"})
    secret = pages.home / "secrets.json"
    assert secret.exists()
    up = "..%2f..%2f..%2f..%2fsecrets"
    for address in (
        f"/m/{up}/", "/m/..%2f/", f"/m/cats_vs_dogs/days/{up}/", "/m/cats_vs_dogs/days/2026-06-14%2f..%2f..%2f/", "/m/cats_vs_dogs/days/20260614/",
        "/m/cats_vs_dogs/days/2026-W24-7/", f"/m/cats_vs_dogs/days/{LAST}/images/{up}.jpg", f"/m/cats_vs_dogs/days/{LAST}/images/{'A' * 64}.jpg",
        f"/m/cats_vs_dogs/days/{LAST}/images/{'0' * 64}.jpg", f"/static/{up}.json", "/static/../app.py", "/static/%2fetc%2fpasswd",
        f"/m/cats_vs_dogs/days/{LAST}/distribution.json?feature={up}",
    ):  # fmt: skip
        answer = client.get(address)
        assert answer.status_code == 404, address
        assert "password" not in answer.text


def test_a_thumbnail_is_the_stored_input_of_its_image(pages: Any) -> None:
    keys = pages.layout().day(LAST)
    manifest = pages.storage.read_table(keys.manifest)
    image_id = manifest["image_id"].iloc[7]
    headers = {"Authorization": f"Bearer {pages.token}"}
    answer = httpx.get(f"{pages.url}/driftwatch/m/cats_vs_dogs/days/{LAST}/images/{image_id}.jpg", headers=headers)
    import cv2

    assert answer.headers["content-type"] == "image/jpeg"
    picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(answer.content, "uint8"), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert picture.shape[:2] == (120, 160)
    wanted = DayInputs(day_store(pages.storage, keys)).take([7])[0].mean(axis=(0, 1))
    assert picture.mean(axis=(0, 1)) == pytest.approx(wanted, abs=6)


def test_hostile_file_names_and_classes_are_only_text(pages: Any) -> None:
    pages.complaints.clear()
    for address in ("/", "/m/hostile/", f"/m/hostile/days/{LAST}/", "/m/hostile/models"):
        page = pages.opened(address)
        assert page.evaluate("window.hacked") is None
        assert page.title() != "1"
        assert page.locator("img[src=x]").count() == 0
        assert not re.search(
            r"<script(?![^>]*\bsrc=)|<[^>]*\son\w+=\"|<[^>]*\sstyle=", page.request.get(page.url).text()
        )
        if "days" in address:
            assert page.get_by_text('<img src=x onerror="document.title=1">.jpg').count() > 0
            assert "{{ 7*7 }}" in page.content()
        page.context.close()
    assert pages.complaints == []
    answer = httpx.get(f"{pages.url}/driftwatch/", headers={"Authorization": f"Bearer {pages.token}"})
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_day_is_reached_and_read_by_keyboard_alone(pages: Any) -> None:
    page = pages.opened("/")
    page.locator(f"a.daycell[tabindex='0'][href*='{ADDRESSES['monitor']}']").first.focus()
    for key in ("ArrowLeft", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/days/{LAST - timedelta(days=7)}/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.context.close()


def test_a_failed_request_for_the_days_is_told_and_can_be_repeated(pages: Any) -> None:
    page = pages.page()
    waiting: list[Any] = []
    page.route("**/series.json", lambda route: waiting.append(route))
    page.goto(f"{pages.url}/driftwatch{ADDRESSES['monitor']}")
    page.wait_for_selector("#state:has-text('Reading 60 days')")
    page.wait_for_timeout(200)
    waiting[0].fulfill(status=500, content_type="application/json", body='{"detail": "the disk is gone"}')
    page.wait_for_selector("#state:has-text('the disk is gone')")
    page.unroute("**/series.json")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#feature-chart canvas")
    page.context.close()


def test_a_day_with_late_images_says_how_many_and_which_numbers_count_them(pages: Any) -> None:
    keys = pages.layout().day(LAST)
    ingest = pages.storage.read_json(keys.ingest)
    pages.storage.write_json(keys.ingest, {**ingest, "late": 18})
    pages.storage.write_json(keys.late_files, {"files": 3})
    page = pages.opened(f"/m/cats_vs_dogs/days/{keys.day}/")
    said = page.locator("header.head").text_content()
    assert "21 images came late" in said
    assert f"18 of {ingest['accepted']:,} images came after the day's sample was drawn" in said
    assert "3 files came after the day was taken in, and no number here counts them" in said
    page.context.close()


def test_the_scrapers_token_opens_the_metrics_and_nothing_else_and_a_login_opens_them_too(served: Served) -> None:
    def ask(path: str, token: str) -> httpx.Response:
        return httpx.get(f"{served.url}/driftwatch{path}", headers={"Authorization": f"Bearer {token}"}, timeout=60)

    scraped = ask("/metrics", SCRAPER)
    assert scraped.status_code == 200, scraped.text
    assert 'driftwatch_images{monitor="cats_vs_dogs",status="listed"}' in scraped.text
    assert 'driftwatch_monitor_readable{monitor="hostile"} 1' in scraped.text
    assert 'driftwatch_images{monitor="cats_vs_dogs",status="listed"}' in ask("/metrics", served.token).text
    assert ask("/metrics", f"{SCRAPER}x").status_code in (401, 403)
    assert ask("/m/cats_vs_dogs/", SCRAPER).status_code in (401, 403)

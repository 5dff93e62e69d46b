"""The monitor pages as a browser sees them, on a real api-server: numbers, refusals, hostile names, keyboard, sizes, axe-core."""

from __future__ import annotations

import html
import os
import re
from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from driftwatch.artifacts.failure import Failure, write_failure
from driftwatch.images.inputs import DayInputs
from driftwatch_airflow.ui.app import _ROUTES
from driftwatch_sandbox.demo.airflow_api import AirflowApi

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

LAST = date(2026, 6, 14)
PICTURES = os.environ.get("DRIFTWATCH_PICTURES")
ADDRESSES = {
    "overview": "/",
    "monitor": "/m/cats_vs_dogs/",
    "day": f"/m/cats_vs_dogs/days/{LAST}/",
    "models": "/m/cats_vs_dogs/models",
    "empty": "/m/new_one/",
    "missing": "/m/nobody/",
}


def opened(pages: Any, address: str, **options: Any) -> Any:
    page = pages.page(**options)
    page.goto(f"{pages.url}/driftwatch{address}")
    page.wait_for_load_state("networkidle")
    page.locator("[aria-busy=true]").wait_for(state="detached")
    return page


def table(page: Any, name: str) -> list[list[str]]:
    """The cells of a chart's table, opened as a reader would; it is filled, whole, by an event that comes after the click."""
    page.locator(f"details:has(#{name}) summary").click()
    page.locator(f"#{name} tbody tr").first.wait_for()
    return page.locator(f"#{name} tbody tr").evaluate_all("rows => rows.map(r => [...r.cells].map(c => c.textContent))")


@pytest.mark.parametrize("name", ADDRESSES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_each_page_fits_its_screen_without_complaints_and_axe_finds_nothing_serious(
    pages: Any, name: str, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    pages.complaints.clear()
    page = opened(pages, ADDRESSES[name], width=width, scheme=scheme)
    if name == "monitor":
        page.wait_for_selector("#performance-chart canvas")
    expected = ["404"] if name == "missing" else []
    assert [line for line in pages.complaints if not any(code in line for code in expected)] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    serious = [(rule["id"], rule["nodes"][0]["html"]) for rule in found if rule["impact"] in ("serious", "critical")]
    assert serious == []
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
    page.context.close()


def test_the_charts_show_the_numbers_of_the_artifacts(pages: Any) -> None:
    page, layout, storage = opened(pages, ADDRESSES["monitor"]), pages.layout(), pages.storage
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
    shown = page.locator("#matrix td.cell b").all_text_contents()
    assert [int(n or 0) for n in shown] == total.ravel().tolist()
    page.select_option("#measure", label="Recall of dog")
    for row, wanted in zip(page.locator("#performance-table tbody tr").all(), measured, strict=True):
        found = wanted["classes"]["dog"]["recall"]["value"]
        assert row.locator("td").nth(2).text_content() == ("–" if found is None else f"{round(100 * found, 1):g} %")
        if measured.index(wanted) == 5:
            break
    page.context.close()


def test_a_distribution_counts_the_images_of_the_day_and_of_the_reference(pages: Any) -> None:
    page, layout = opened(pages, ADDRESSES["monitor"]), pages.layout()
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
    values = {"monitor": "cats_vs_dogs", "day": str(LAST), "image_id": "0" * 64, "dag_id": "cats_vs_dogs_monitoring", "run_id": "x", "name:path": "charts.js"}  # fmt: skip
    for route in _ROUTES:
        address = re.sub(r"\{(.+?)\}", lambda found: values[found[1]], route)
        answer = httpx.get(f"{pages.url}/driftwatch{address}", follow_redirects=False)
        assert answer.status_code == 401, address
        assert "cats_vs_dogs" not in re.sub(r"next=[^\"]*", "", answer.text), address
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            headers = {"Authorization": f"Bearer {pages.token}"}
            assert httpx.request(method, f"{pages.url}/driftwatch{address}", headers=headers).status_code == 405, (
                address
            )
    for hidden in ("/docs", "/openapi.json", "/redoc"):
        assert httpx.get(f"{pages.url}/driftwatch{hidden}").status_code == 404
    page = opened(pages, ADDRESSES["monitor"], logged_in=False)
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
    wanted = DayInputs(pages.storage, keys).take([7])[0].mean(axis=(0, 1))
    assert picture.mean(axis=(0, 1)) == pytest.approx(wanted, abs=6)


def test_hostile_file_names_and_classes_are_only_text(pages: Any) -> None:
    pages.complaints.clear()
    for address in ("/", "/m/hostile/", f"/m/hostile/days/{LAST}/", "/m/hostile/models"):
        page = opened(pages, address)
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
    page = opened(pages, "/")
    page.locator("a.daycell[tabindex='0']").first.focus()
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


def test_going_back_to_a_version_is_the_retrainings_form_filled_in_and_asked_twice(pages: Any) -> None:
    api = AirflowApi.__new__(AirflowApi)
    api._client = httpx.Client(base_url=pages.url, headers={"Authorization": f"Bearer {pages.token}"})
    api.wait_for_dags(["cats_vs_dogs_retraining"])
    page = opened(pages, ADDRESSES["models"])
    page.get_by_text("Go back to this version").click()
    page.get_by_label("Reason").fill("worse at night")
    for first, then, dry_run in (
        ("Show the plan", None, True),
        ("Roll back", "Yes, make v0001-0a1b2c3d the champion", False),
    ):
        page.get_by_role("button", name=first).click()
        if then:
            page.get_by_role("button", name=then).click()
        link = page.locator(".back [role=status] a")
        link.wait_for()
        run = api._get(f"/dags/cats_vs_dogs_retraining/dagRuns/{link.text_content()}")
        assert run["conf"] == {"rollback": "v0001-0a1b2c3d", "dry_run": dry_run, "reason": "worse at night"}
        assert run["note"].endswith("ollback to v0001-0a1b2c3d: worse at night")
        assert (run["run_type"], run["triggering_user_name"]) == ("manual", "admin")
        page.reload()
        page.get_by_text("Go back to this version").click()
        page.get_by_label("Reason").fill("worse at night")
    page.route("**/dagRuns", lambda route: route.fulfill(status=403, content_type="application/json", body="{}"))
    page.get_by_role("button", name="Show the plan").click()
    page.get_by_text("Nothing was asked for: your role may not trigger this DAG.").wait_for()
    page.context.close()


def test_airflow_shows_the_pages_in_its_navigation_and_on_dag_and_run_and_links_lead_out(pages: Any) -> None:
    api = AirflowApi.__new__(AirflowApi)
    api._client = httpx.Client(base_url=pages.url, headers={"Authorization": f"Bearer {pages.token}"})
    dag_id, run_id = "cats_vs_dogs_monitoring", "by_hand+1"
    api.wait_for_dags([dag_id])
    api.trigger(dag_id, run_id, None, {"day": str(LAST)})
    page = pages.page()
    page.goto(f"{pages.url}/dags/{dag_id}/runs/{run_id.replace('+', '%2B')}/plugin/driftwatch-day")
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", level=1).wait_for()
    assert str(LAST) in frame.locator("body").text_content()
    frame.get_by_role("link", name="Airflow run").click()
    page.wait_for_url(f"**/dags/{dag_id}/runs/by_hand%2B1", timeout=90_000)  # Airflow's own page
    page.goto(f"{pages.url}/dags/{dag_id}/plugin/driftwatch-monitor")
    page.frame_locator("iframe").get_by_role("heading", name="cats_vs_dogs", exact=True).wait_for()
    page.goto(f"{pages.url}/plugin/driftwatch")
    page.frame_locator("iframe").get_by_role("heading", name="Monitors").wait_for()
    page.context.close()


def test_a_runs_page_says_which_day_it_is_about_and_why(pages: Any) -> None:
    """A run as Airflow's trigger form makes it, with the present as its logical date, and one of a day that is not over."""
    api, dag_id = AirflowApi.__new__(AirflowApi), "cats_vs_dogs_monitoring"
    api._client = httpx.Client(base_url=pages.url, headers={"Authorization": f"Bearer {pages.token}"})
    api.wait_for_dags([dag_id])
    now = datetime.now(timezone.utc)
    api.trigger(dag_id, "as_the_form", now.isoformat(), {})
    api.trigger(dag_id, "not_over", None, {"day": str(now.date())})
    answers = {
        run: api._client.get(f"{pages.url}/driftwatch/dag/{dag_id}/run/{run}", follow_redirects=True)
        for run in ("as_the_form", "not_over")
    }
    last = (now - timedelta(hours=6)).date() - timedelta(days=1)
    said = answers["as_the_form"].text
    assert f"This run is about <b>{last}</b>: the last whole day when the run was due" in said
    assert f"its logical date, {now.date()}, was not over" in said
    assert "/runs/as_the_form" in said
    assert answers["not_over"].status_code == 409
    assert f"Run not_over handles no day: {now.date()} is not over" in answers["not_over"].text
    assert "unfinished_day" in answers["not_over"].text


def test_a_correction_is_the_days_form_filled_in_reached_by_the_address_of_the_conflict(pages: Any) -> None:
    api, dag_id = AirflowApi.__new__(AirflowApi), "cats_vs_dogs_monitoring"
    api._client = httpx.Client(base_url=pages.url, headers={"Authorization": f"Bearer {pages.token}"})
    api.wait_for_dags([dag_id])
    page = opened(pages, f"/m/cats_vs_dogs/days/{LAST}/#correction")
    page.get_by_role("button", name="Publish a correction").click()
    page.get_by_role("button", name=f"Yes, replace what was published of {LAST}").click()
    link = page.locator(".back [role=status] a")
    link.wait_for()
    run = api._get(f"/dags/{dag_id}/dagRuns/{link.text_content()}")
    assert (run["conf"], run["logical_date"]) == ({"day": str(LAST), "revise": True}, None)
    assert (run["note"], run["triggering_user_name"]) == (f"Correction of {LAST}", "admin")
    page.context.close()


def test_a_day_with_late_images_says_how_many_and_which_numbers_count_them(pages: Any) -> None:
    keys = pages.layout().day(LAST)
    ingest = pages.storage.read_json(keys.ingest)
    pages.storage.write_json(keys.ingest, {**ingest, "late": 18})
    pages.storage.write_json(keys.late_files, {"files": 3})
    page = opened(pages, f"/m/cats_vs_dogs/days/{keys.day}/")
    said = page.locator("header.head").text_content()
    assert "21 images came late" in said
    assert f"18 of {ingest['accepted']:,} images came after the day's sample was drawn" in said
    assert "3 files came after the day was taken in, and no number here counts them" in said
    page.context.close()


def test_a_failed_day_is_red_with_its_reason_until_it_is_taken_up_again_and_labels_say_what_was_paid(
    pages: Any,
) -> None:
    api = AirflowApi.__new__(AirflowApi)
    api._client = httpx.Client(base_url=pages.url, headers={"Authorization": f"Bearer {pages.token}"})
    dag_id, run, day = "cats_vs_dogs_monitoring", "lost_day", LAST + timedelta(days=1)
    api.wait_for_dags([dag_id])

    def read(address: str) -> str:
        answer = api._client.get(f"/driftwatch{address}")
        return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))

    api.trigger(dag_id, run, None, {"day": str(day)})
    task = f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances/ingest_images"
    api._client.patch(task, json={"new_state": "failed"}).raise_for_status()
    assert f"{day} failed at ingest_images" in read("/")
    assert f"{day}: failed at ingest_images: see the task's log in Airflow" in read("/")
    assert "failed at ingest_images see the task's log in Airflow" in read(f"/m/cats_vs_dogs/days/{day}/")
    said = api._client.get("/driftwatch/m/cats_vs_dogs/series.json").json()
    assert (said["tone"][-1], said["days"][-1]) == ("bad", str(day))
    kept = Failure(task="ingest_images", reason="the disk is <full>", run_id=run)
    keys = pages.layout().day(day)
    write_failure(pages.storage, keys.failure, kept)
    assert "the disk is <full>" in read(f"/m/cats_vs_dogs/days/{day}/")
    forgotten = pages.layout().day(LAST - timedelta(days=1))  # Airflow knows no run of this day
    write_failure(pages.storage, forgotten.failure, kept)
    page = read(f"/m/cats_vs_dogs/days/{forgotten.day}/")
    assert "The day failed at ingest_images. " in page
    assert "Failed at ingest_images" in page
    api.trigger(dag_id, "again", None, {"day": str(day)})
    assert f"{day} failed at" not in read("/")
    assert "16.80 USD paid 2026-06: 17.64 planned 16.80 of the limit of 300.00 used" in read("/")
    for path in (keys.failure, forgotten.failure):
        pages.storage.delete(path)

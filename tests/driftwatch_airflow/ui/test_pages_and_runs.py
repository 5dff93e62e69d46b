"""What the pages ask of Airflow and show of its runs: forms filled in, links, the day of a run, failures."""

from __future__ import annotations

import html
import json
import re
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest

from driftwatch.artifacts import base
from driftwatch.artifacts.failure import Failure

from .conftest import AIRFLOWS_OWN

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]
LAST = date(2026, 6, 14)


def test_going_back_to_a_version_is_the_retrainings_form_filled_in_and_asked_twice(pages: Any) -> None:
    api = pages.api()
    api.wait_for_dags(["cats_vs_dogs_retraining"])
    page = pages.opened("/m/cats_vs_dogs/models")
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


def test_airflow_shows_the_pages_and_their_charts_in_its_navigation_and_on_dag_and_run_and_links_lead_out(
    pages: Any,
) -> None:
    api = pages.api()
    dag_id, run_id = "cats_vs_dogs_monitoring", "by_hand+1"
    api.wait_for_dags([dag_id])
    api.trigger(dag_id, run_id, None, {"day": str(LAST)})
    page = pages.page()
    frame = pages.framed(page, f"/dags/{dag_id}/runs/{run_id.replace('+', '%2B')}/plugin/driftwatch-day")
    frame.get_by_role("heading", level=1).wait_for()
    assert str(LAST) in frame.locator("body").text_content()
    frame.get_by_role("link", name="Airflow run").click()
    page.wait_for_url(f"**/dags/{dag_id}/runs/by_hand%2B1", timeout=AIRFLOWS_OWN)
    frame = pages.framed(page, f"/dags/{dag_id}/plugin/driftwatch-monitor")
    frame.get_by_role("heading", name="cats_vs_dogs", exact=True).wait_for()
    frame.locator("#feature-chart canvas").wait_for()
    frame = pages.framed(page, "/plugin/driftwatch")
    frame.get_by_role("heading", name="Monitors").wait_for()
    page.context.close()


def test_a_runs_page_says_which_day_it_is_about_and_why(pages: Any) -> None:
    """A run as Airflow's trigger form makes it, with the present as its logical date, and one of a day that is not over."""
    api, dag_id = pages.api(), "cats_vs_dogs_monitoring"
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
    api, dag_id = pages.api(), "cats_vs_dogs_monitoring"
    api.wait_for_dags([dag_id])
    page = pages.opened(f"/m/cats_vs_dogs/days/{LAST}/#correction")
    page.get_by_role("button", name="Publish a correction").click()
    page.get_by_role("button", name=f"Yes, replace what was published of {LAST}").click()
    link = page.locator(".back [role=status] a")
    link.wait_for()
    run = api._get(f"/dags/{dag_id}/dagRuns/{link.text_content()}")
    assert (run["conf"], run["logical_date"]) == ({"day": str(LAST), "revise": True}, None)
    assert (run["note"], run["triggering_user_name"]) == (f"Correction of {LAST}", "admin")
    page.context.close()


def test_a_failed_day_is_red_with_its_reason_until_it_is_taken_up_again_and_labels_say_what_was_paid(
    pages: Any,
) -> None:
    api = pages.api()
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
    assert "failed at ingest_images: see the task's log in Airflow" in read(f"/m/cats_vs_dogs/days/{day}/")
    said = api._client.get("/driftwatch/m/cats_vs_dogs/series.json").json()
    assert (said["tone"][-1], said["days"][-1]) == ("bad", str(day))
    kept = Failure(task="ingest_images", reason="the disk is <full>", run_id=run)
    keys = pages.layout().day(day)
    base.write(pages.storage, keys.failure, kept)
    assert "the disk is <full>" in read(f"/m/cats_vs_dogs/days/{day}/")
    forgotten = pages.layout().day(LAST - timedelta(days=1))  # Airflow knows no run of this day
    base.write(pages.storage, forgotten.failure, kept)
    page = read(f"/m/cats_vs_dogs/days/{forgotten.day}/")
    assert "The day failed at ingest_images. " in page
    assert "Failed at ingest_images" in page
    api.trigger(dag_id, "again", None, {"day": str(day)})
    assert f"{day} failed at" not in read("/")
    assert "16.80 of 17.64 USD paid 2026-06: 16.80 of the limit of 300.00 used" in read("/")
    for path in (keys.failure, forgotten.failure):
        pages.storage.delete(path)


def test_the_pages_are_dark_in_airflows_frame_if_the_reader_chose_so_in_airflow(pages: Any) -> None:
    page = pages.page()
    page.add_init_script("localStorage.setItem('theme', 'dark')")
    frame = pages.framed(page, "/plugin/driftwatch")
    frame.get_by_role("heading", name="Monitors").wait_for()
    assert frame.locator("html").get_attribute("data-theme") == "dark"
    page.evaluate("document.documentElement.className = 'light'")  # as Airflow does, when its switch is used
    frame.locator("html[data-theme=light]").wait_for(state="attached")
    page.context.close()


def test_an_alerts_link_without_a_login_is_a_styled_page_and_the_login_leads_back_to_it(pages: Any) -> None:
    address = f"/m/cats_vs_dogs/days/{LAST}/"
    page = pages.opened(address, logged_in=False)
    assert page.locator(".card").evaluate("card => getComputedStyle(card).borderRadius") == "12px"
    page.get_by_role("link", name="Log in to Airflow").click()
    passwords = json.loads((pages.home / "passwords.json").read_text())
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(passwords["admin"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/driftwatch{address}")
    page.get_by_role("heading", name="What now").wait_for()
    page.context.close()

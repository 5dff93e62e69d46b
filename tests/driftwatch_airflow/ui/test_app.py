"""What holds for every answer of the pages: who may frame them, what they may load, and how an error is told."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from driftwatch_airflow.ui import static_files


@pytest.mark.parametrize("address", ["/", "/m/ours/", "/m/nobody/", "/static/driftwatch.css"])
def test_no_page_may_be_framed_elsewhere_or_load_from_elsewhere(client: Any, address: str) -> None:
    headers = client.get(address).headers
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")


def test_an_error_is_a_page_for_readers_and_json_for_charts(client: Any) -> None:
    page, chart = client.get("/m/nobody/"), client.get("/m/nobody/series.json")
    assert (page.status_code, chart.status_code) == (404, 404)
    assert "There is no monitor of that name." in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert chart.json()["detail"].startswith("There is no monitor of that name.")


@pytest.mark.parametrize("path", ["/m/ours/", "/m/ours/series.json"])
def test_what_is_told_of_a_crash_has_no_login(path: str) -> None:
    from driftwatch_airflow.ui.app import _crashed

    scope = {"type": "http", "method": "GET", "scheme": "http", "server": ("127.0.0.1", 80), "path": path}
    request = Request({**scope, "query_string": b"", "headers": []})
    told = asyncio.run(_crashed(request, OSError("no answer of postgresql://reader:hunter2@db/airflow"))).body
    assert b"no answer of" in told
    assert b"hunter2" not in told


def test_an_address_without_a_value_that_it_needs_is_refused_by_name(client: Any) -> None:
    answer = client.get("/m/ours/days/2026-01-05/distribution.json")
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "The address lacks a value that is needed, or has one that is not allowed: feature."
    }


def test_only_known_files_are_given(client: Any) -> None:
    assert client.get("/static/report.css").headers["content-type"].startswith("text/css")
    for name in ("nothing.css", "../app.py", "..%2Fapp.py", "uplot/LICENSE"):
        assert client.get(f"/static/{name}").status_code == 404, name


def test_a_browser_keeps_a_file_until_it_holds_something_else(
    client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there = shutil.copytree(static_files.STATIC, tmp_path / "static")
    monkeypatch.setattr(static_files, "STATIC", there)
    name = "charts/plot.js"
    before = static_files.folder()
    kept = client.get(f"/{before}/{name}")
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    (there / name).write_text("// another version")
    static_files.folder.cache_clear()
    assert static_files.folder() != before
    assert f"/{static_files.folder()}/driftwatch.css" in client.get("/").text
    for address in (
        f"/static/{name}",
        f"/{before}/{name}",
    ):  # an icon in Airflow's navigation; a page of the version before
        answer = client.get(address)
        assert (answer.text, answer.headers["cache-control"]) == ("// another version", "no-cache")
    static_files.folder.cache_clear()


def test_the_pages_describe_no_interface_of_their_own(client: Any) -> None:
    for address in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(address).status_code == 404, address

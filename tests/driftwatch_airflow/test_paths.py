"""Addresses on Airflow's web server, wherever that is served."""

from __future__ import annotations

import pytest

from driftwatch_airflow.paths import correction_page, dag_path, pages_path, run_path, web_address


@pytest.mark.parametrize(
    ("base_url", "pages", "address"),
    [
        ("https://airflow.example/ops/", "/ops/driftwatch", "https://airflow.example/ops"),
        ("http://localhost:8080", "/driftwatch", "http://localhost:8080"),
        ("/", "/driftwatch", ""),
        ("", "/driftwatch", ""),
    ],
    ids=["below a path", "at the root", "a path alone", "not set"],
)
def test_the_pages_lie_below_the_address_that_airflow_is_served_at(monkeypatch, base_url, pages, address):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
    assert (pages_path(), web_address()) == (pages, address)
    correction = correction_page("cats", "2026-11-20")
    assert correction == f"{address + '/driftwatch' if address else pages}/m/cats/days/2026-11-20/#correction"


def test_a_run_id_is_one_part_of_its_address_whatever_it_holds():
    assert dag_path("cats_monitoring") == "/dags/cats_monitoring"
    assert run_path("a b", "by hand/1+00:00") == "/dags/a%20b/runs/by%20hand%2F1%2B00%3A00"

"""A monitor is shown to those who may read its DAG, and to nobody else."""

from __future__ import annotations

from typing import Any


def test_pages_thumbnails_and_numbers_of_a_monitor_need_its_dag(client: Any) -> None:
    assert client.get("/m/ours/").status_code == 200
    image = f"days/2026-01-05/images/{'0' * 64}.jpg"
    for address in ("", "series.json", "models", "days/2026-01-05/", "days/2026-01-05/report.html", image, "days/2026-01-05/distribution.json?feature=x"):  # fmt: skip
        assert client.get(f"/m/theirs/{address}").status_code == 403, address
    assert client.get("/m/nobody/").status_code == 404


def test_the_models_need_the_retraining_dag_too(client: Any) -> None:
    assert client.get("/m/ours/models").status_code == 403

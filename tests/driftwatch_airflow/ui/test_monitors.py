"""The monitors that one application keeps, for as long as it lives and their files stay as they are."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.errors import DriftwatchError
from driftwatch_airflow.ui.monitors import Site, Sites


@pytest.fixture
def write(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Writes a monitor file, each time with another time of change."""
    example = yaml.safe_load((root / "include" / "monitors" / "cats_vs_dogs.yaml").read_text())
    monkeypatch.setenv("DRIFTWATCH_MONITORS", str(tmp_path))
    changes: list[str] = []

    def monitor(name: str, **fields: Any) -> Path:
        path = tmp_path / f"{name}.yaml"
        storage = {"uri": f"file://{tmp_path / 'data'}"}
        path.write_text(yaml.safe_dump({**example, "name": name, "storage": storage, **fields}))
        changes.append(name)
        os.utime(path, (len(changes), len(changes)))
        return path

    return monitor


def test_a_site_and_what_it_has_read_stay_until_the_file_changes(write: Any) -> None:
    sites = Sites()
    write("ours")
    first = sites.valid()["ours"]
    cache = first.artifacts
    assert sites.valid()["ours"] is first
    assert first.artifacts is cache
    write("ours", description="Another text.")
    second = sites.valid()["ours"]
    assert second is not first
    assert second.config.description == "Another text."
    assert second.artifacts is not cache


def test_the_site_of_a_file_that_is_gone_is_let_go(write: Any) -> None:
    sites = Sites()
    write("ours")
    path = write("other")
    other = weakref.ref(sites.valid()["other"])
    path.unlink()
    assert set(sites.valid()) == {"ours"}
    gc.collect()
    assert other() is None


def test_a_refused_file_says_why_and_comes_back_when_it_is_put_right(write: Any) -> None:
    sites = Sites()
    write("ours")
    write("typo", classes=["cat"])
    (refused,) = sites.refused()
    assert (refused.name, refused.dag_id) == ("typo.yaml", "typo_monitoring_refused")
    assert "at least 2 entries" in refused.reason
    assert set(sites.valid()) == {"ours"}
    write("typo")
    assert sites.refused() == []
    assert set(sites.valid()) == {"ours", "typo"}


def test_each_application_has_monitors_of_its_own(write: Any) -> None:
    write("ours")
    one, other = Sites(), Sites()
    assert one.valid()["ours"] is not other.valid()["ours"]


def test_a_reading_that_hangs_is_waited_for_until_the_deadline_and_not_begun_again(write: Any) -> None:
    go_on, begun = threading.Event(), []

    def read(site: Site) -> str:
        begun.append(site.config.name)
        go_on.wait(20)
        return "read"

    write("ours")
    site = Sites().valid()["ours"]
    try:
        for _ in range(2):
            asked = site.start_reading(read)
            with pytest.raises(DriftwatchError, match="has not answered within"):
                site.has_read(asked, time.monotonic() + 0.05)
        assert begun == ["ours"]
    finally:
        go_on.set()
    assert site.has_read(asked, time.monotonic() + 20) == "read"

"""A day's files are those that the path describes, in whichever storage it names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from driftwatch.config.logged import LoggedConfig
from driftwatch.models.logged.files import place_of, read_log
from driftwatch.storage import open_storage

DAY = date(2026, 3, 4)
FILES = ["logs/2026/03/04/a.csv", "logs/2026/03/04/h1/b.csv", "logs/2026/03/04/h1/x/c.csv", "logs/2026/03/04/.a.csv", "logs/2026/03/04/_SUCCESS", "logs/2026/03/05/a.csv", "logs/2026-03-04.csv", "other/2026/03/04/a.csv"]  # fmt: skip


def found(root: Path, path: str) -> list[str]:
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    settings = LoggedConfig.model_validate({"path": path, "columns": {"key": "k", "prediction": "p"}})
    place = place_of(settings, DAY, open_storage(f"file://{root}"), open_storage)
    return [file.name.removeprefix(f"file://{root}/") for file in read_log(place, 0, lambda file: file)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("logs/{day}.csv", ["logs/2026-03-04.csv"]),
        ("logs/{day:%Y/%m/%d}/*.csv", ["logs/2026/03/04/a.csv"]),
        ("logs/{day:%Y/%m/%d}/*", ["logs/2026/03/04/a.csv"]),
        ("logs/{day:%Y/%m/%d}/*/?.csv", ["logs/2026/03/04/h1/b.csv"]),
        (
            "logs/{day:%Y}/**/{day:%d}/**/*.csv",
            ["logs/2026/03/04/a.csv", "logs/2026/03/04/h1/b.csv", "logs/2026/03/04/h1/x/c.csv"],
        ),
        ("logs/{day:%Y/%m/%d}/.a.csv", ["logs/2026/03/04/.a.csv"]),
    ],
)
def test_a_path_below_the_root_or_at_another_address_finds_its_files(tmp_path, path, expected):
    assert found(tmp_path, path) == expected
    assert found(tmp_path, f"file://{tmp_path}/{path}") == expected


def test_another_bucket_is_opened_by_its_own_address():
    opened = []

    def elsewhere(uri: str):
        opened.append(uri)
        return open_storage("file:///tmp")

    settings = LoggedConfig.model_validate(
        {"path": "s3://lake/logs/{day}/*.csv", "columns": {"key": "k", "prediction": "p"}}
    )
    place = place_of(settings, DAY, open_storage("file:///nowhere"), elsewhere)
    assert (opened, place.pattern) == (["s3://lake"], "logs/2026-03-04/*.csv")

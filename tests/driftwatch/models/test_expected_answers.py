"""The scores that a team's own serving gave are read from each format, and what is missing is told."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models.expected_answers import read_expected
from driftwatch.storage import open_storage

LAYOUT = MonitorKeys("demo")
IDS = [f"{number:064x}" for number in range(4)]


@pytest.fixture
def store(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorStore:
    config = small_monitor(f"file://{tmp_path}")
    return monitor_store(open_storage(config.storage.uri), LAYOUT, config)


@pytest.fixture
def table() -> pd.DataFrame:
    """A training set of four images."""
    keys = [LAYOUT.training_image(("cat", "dog")[number % 2], f"{number}.jpg") for number in range(4)]
    return pd.DataFrame({"image_id": IDS, "key": keys})


GIVEN = pd.DataFrame({"key": ["dog/3.jpg", "cat/0.jpg"], "score.cat": [0.25, 0.75], "score.dog": [0.75, 0.25]})


def written(path: Path, given: pd.DataFrame) -> Path:
    if path.suffix == ".parquet":
        given.to_parquet(path, index=False)
    elif ".jsonl" in path.suffixes:
        path.write_text(given.to_json(orient="records", lines=True))
    else:
        given.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.parquet", "a.jsonl"])
def test_each_format_gives_the_scores_by_the_place_of_the_image(
    store: MonitorStore, table: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    found = read_expected(store, written(tmp_path / name, GIVEN), table)
    assert found.places.tolist() == [0, 3]
    assert found.scores.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    assert (found.rows, found.unused) == (2, {})


def test_compressed_files_and_images_by_their_bytes_are_read_too(
    store: MonitorStore, table: pd.DataFrame, tmp_path: Path
) -> None:
    by_bytes = GIVEN.drop(columns="key").assign(image_id=[IDS[2], "f" * 64])
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(by_bytes.to_csv(index=False).encode()))
    found = read_expected(store, tmp_path / "a.csv.gz", table)
    assert found.places.tolist() == [2]
    assert (found.rows, found.unused) == (2, {"no_file": 1})


def test_the_columns_of_the_monitor_files_log_are_used_where_it_has_one(
    store: MonitorStore, table: pd.DataFrame, tmp_path: Path
) -> None:
    logged = {"path": "demo/answers/{day}/*", "columns": {"key": "file", "scores": {"cat": "c", "dog": "d"}}}
    settings = {**store.config.model_dump(), "model": {**store.config.model.model_dump(), "logged": logged}}
    own = monitor_store(store.storage, LAYOUT, MonitorConfig.model_validate(settings))
    given = GIVEN.rename(columns={"key": "file", "score.cat": "c", "score.dog": "d"})
    assert read_expected(own, written(tmp_path / "a.csv", given), table).places.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (GIVEN.rename(columns={"key": "file"}), "neither key .* nor image_id"),
        (GIVEN.drop(columns="score.dog"), r"no column score\.dog; it has \['key', 'score\.cat'\]"),
        (GIVEN.drop(columns=["score.dog", "score.cat"]), r"no column score\.cat, score\.dog; .* one for each class"),
        (GIVEN.assign(key="cat/9.jpg"), r"none of its 2 rows is about a training image \(no_file: 2\)"),
        (GIVEN.assign(**{"score.cat": np.nan}), "none of its 2 rows"),
    ],
)
def test_what_cannot_be_compared_is_refused_by_what_is_missing(
    store: MonitorStore, table: pd.DataFrame, tmp_path: Path, given: pd.DataFrame, said: str
) -> None:
    with pytest.raises(NeedsAttention, match=said):
        read_expected(store, written(tmp_path / "a.csv", given), table)


def test_a_spreadsheets_semicolons_are_told(store: MonitorStore, table: pd.DataFrame, tmp_path: Path) -> None:
    GIVEN.to_csv(tmp_path / "a.csv", index=False, sep=";")
    with pytest.raises(NeedsAttention, match=r"separated by a semicolon.*save it with commas"):
        read_expected(store, tmp_path / "a.csv", table)


def test_a_class_is_found_however_its_column_is_written(
    store: MonitorStore, table: pd.DataFrame, tmp_path: Path
) -> None:
    given = GIVEN.rename(columns={"score.cat": "score.Cat"})
    assert read_expected(store, written(tmp_path / "a.csv", given), table).scores.tolist() == [
        [0.75, 0.25],
        [0.25, 0.75],
    ]


def test_another_kind_of_file_and_one_that_is_not_there_are_refused(
    store: MonitorStore, table: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(NeedsAttention, match=r"--expect takes \.csv"):
        read_expected(store, written(tmp_path / "a.xlsx", GIVEN), table)
    with pytest.raises(NeedsAttention, match="cannot be read"):
        read_expected(store, tmp_path / "nothing.csv", table)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(NeedsAttention, match=r"cannot be read as \.parquet"):
        read_expected(store, tmp_path / "a.parquet", table)

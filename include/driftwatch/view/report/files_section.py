"""The report's section of the day's files: what became of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from driftwatch.images.layout import below
from driftwatch.view import charts
from driftwatch.view.report.facts import DayFacts

if TYPE_CHECKING:
    import pandas as pd

MOST_FILES = 20


@dataclass(frozen=True)
class FileRow:
    """A file that was not used, or is odd."""

    name: str
    status: str
    reason: str
    bytes: int


@dataclass(frozen=True)
class Files:
    """`bar`: the counts that add up; `reasons` by number; `rows`: the rejected files, then those that were accepted with a note."""

    bar: Markup
    reasons: list[tuple[str, int]]
    rows: list[FileRow]
    more: int


def files(facts: DayFacts) -> Files:
    """The day's files by what became of them."""
    # First what went wrong. Last what is ignored: there can be such a file beside each image.
    rejected = facts.manifest[facts.manifest["reason"] != ""].sort_values(
        ["status", "key"], ascending=[True, True], key=_most_telling_first
    )
    rows = [
        FileRow(_below(facts.ingest.images_root, row.key), row.status, row.reason, row.bytes)
        for row in rejected.head(MOST_FILES).itertuples()
    ]
    ingest = facts.ingest
    parts = {"accepted": ingest.accepted, "duplicate": ingest.duplicate, "quarantined": ingest.quarantined}
    if ingest.ignored:
        parts["ignored"] = ingest.ignored
    reasons = sorted(ingest.reasons.items(), key=lambda item: (-item[1], item[0]))
    told = len(rejected) if facts.with_reason is None else facts.with_reason
    return Files(charts.parts(parts), reasons, rows, told - len(rows))


def _most_telling_first(column: pd.Series) -> pd.Series:
    return (
        column.map({"quarantined": 0, "accepted": 1, "duplicate": 2, "ignored": 3})
        if column.name == "status"
        else column
    )


def _below(root: str | None, key: str) -> str:
    """The path below the day's folder; of incoming/ the monitor may have had another name."""
    return key.split("/incoming/", 1)[-1].split("/", 1)[-1] if root is None else below(root, key)

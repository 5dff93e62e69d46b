"""Labels that come from a table, in words: which rows were used, what may still come, and what people say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.view.answers import row_reasons
from driftwatch.view.numbers import percent
from driftwatch.view.shares import shown
from driftwatch.view.words import count, listing

if TYPE_CHECKING:
    from driftwatch.artifacts.accuracy import Performance
    from driftwatch.artifacts.label_table import LabelTable, TableCheck, TableTruth

_COVERS = {
    "all": "every image, sooner or later",
    "random": "a part of the images that chance alone chose",
    "unknown": "some images; nobody knows how they were chosen, so no interval is claimed",
}
_MOST = 8


def still_open(found: TableTruth) -> str:
    """Whether more labels may come."""
    if not found.open:
        return "no more are waited for"
    return f"more may come until {found.until:%Y-%m-%d %H:%M} UTC"


def sampled_line(found: Performance) -> str:
    """How many of the images have a label, and what became of the others."""
    truth = found.truth
    if truth is None:
        return (
            f"{found.sampled} sampled = {found.consensus} consensus + {found.ties} ties + {found.unclear} unclear + "
            f"{found.unanswered} unanswered;"
        )
    return f"{truth.labelled} of {images_of(truth)} have a label in the table, {still_open(truth)};"


def labels_line(found: Performance) -> str:
    """The same, as an alert says it."""
    truth = found.truth
    if truth is None:
        return (
            f"{found.labels} of {found.sampled} sampled images ({found.ties} ties, {found.unclear} unclear, "
            f"{found.unanswered} unanswered"
        )
    return f"{found.labels} of {images_of(truth)} (from a table, {still_open(truth)}"


def images_of(found: TableTruth) -> str:
    """Those that a label is wanted for."""
    return count(found.images, "image") + ("" if found.of_images is None else f" sampled from {found.of_images:,}")


def table_rows(found: LabelTable | None) -> list[tuple[str, str]]:
    """What the report says of the table, as names and values; nothing for a day whose labels are people's."""
    if found is None:
        return []
    rows = [
        ("Labels come from", f"a table, {found.source}"),
        ("It covers", _COVERS[found.covers]),
        ("Rows", _rows(found)),
        (
            "Images with a label",
            f"{found.labelled:,} of {images_of(found)} ({percent(found.share)}); {still_open(found)}",
        ),
    ]
    if found.unknown_classes:
        rows.append(("No class", listing([*found.unknown_classes], _MOST)))
    return rows


def _rows(found: LabelTable) -> str:
    parts = [f"{found.labelled:,} used"]
    if found.earlier:
        parts.append(f"{found.earlier:,} with a later row")
    if found.without_image:
        parts.append(f"{found.without_image:,} without an image ({row_reasons(found.strangers)})")
    if found.refused:
        parts.append(f"{found.refused:,} refused ({row_reasons(found.reasons)})")
    where = f"{count(found.rows, 'row')} of {count(found.files, 'file')}" if found.files else count(found.rows, "row")
    return f"{where} = {' + '.join(parts)}"


def check_rows(found: TableCheck | None) -> list[tuple[str, str]]:
    """How often people and the table name the same class, and the images on which they do not."""
    if found is None:
        return []
    said = shown(found.agreement)
    agreed = f"{said.both}, on {count(found.agreement.n, 'image')}" if found.agreement.n else said.note
    rows = [("The table agrees with people", f"{agreed}; {found.by_people} of {found.sampled} have a label by people")]
    if found.differing:
        named = [f"{row.image_id[:12]} (table {row.table}, people {row.people})" for row in found.differing]
        rows.append(("They differ on", listing(named, _MOST)))
    return rows

"""The truth that comes by itself: rows of a table that somebody else fills, joined with a day's images, as the labels of the day.

The table is read as production's log is (driftwatch.models.logged), and every row is accounted for. What is found becomes
assignments.parquet and labels.parquet, with one vote for each image, so that whatever reads people's labels reads these too.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.store import DayStore
from driftwatch.config.label_table import ALL, UNKNOWN, LabelTableConfig
from driftwatch.config.parts import folded
from driftwatch.errors import NeedsAttention
from driftwatch.images.judged import sampled_from
from driftwatch.labels.assignments import ACCEPTED, Answer, assignments_table
from driftwatch.labels.consensus import MergeRules, merge_answers
from driftwatch.labels.table_rows import DayRows
from driftwatch.models.as_trained import for_day
from driftwatch.models.logged.columns import IMAGE_ID, PREDICTION, Rows, sources, table_of
from driftwatch.models.logged.day import Elsewhere, together
from driftwatch.models.logged.files import NoLog, place_of, read_log
from driftwatch.models.logged.formats import parse
from driftwatch.models.logged.join import Joined, join
from driftwatch.models.logged.understand import UNKNOWN_CLASS, text_of

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig

logger = logging.getLogger(__name__)

# Who gave the labels, in assignments.parquet.
ANNOTATOR = "table"
# Runs the query for a day and the day after it, and gives each row by the names of the query's columns.
RunQuery = Callable[[LabelTableConfig, date], Sequence[dict[str, Any]]]


class UnknownLabels(NeedsAttention):
    """More labels are no class than the monitor file allows."""


@dataclass(frozen=True)
class Outside:
    """What a table is read by: `elsewhere` opens the storage of another address, and `query` asks the database."""

    elsewhere: Elsewhere
    query: RunQuery


@dataclass(frozen=True)
class TableLabels:
    """The labels of a day so far: `labels` by image id, and `found`, what is said of them. `asked`: the ids of the images that labels.parquet has.
    `enough`: whether the day can be judged."""

    labels: dict[str, str]
    asked: Sequence[str]
    found: LabelTable
    enough: bool


def settings_of(config: MonitorConfig) -> LabelTableConfig:
    """The section labels.table. Raises NeedsAttention where the monitor file has none."""
    if config.labels.table is None:
        raise NeedsAttention(
            f"{config.name}: the table of the truth is needed, and the monitor file has no section labels.table"
        )
    return config.labels.table


def labels_until(day: date, wait_days: int) -> datetime:
    """Until when labels of `day` may come: `wait_days` after its end, in UTC."""
    return datetime.combine(day + timedelta(days=1 + wait_days), time.min, timezone.utc)


def read_labels(day: DayStore, outside: Outside, now: datetime) -> TableLabels:
    """What the table says of the day `now` (aware). Writes nothing.

    A file that is not there yet has no rows. Raises UnknownLabels, and what reading raises: StillWritten, BrokenLog, AnsweredTwice, and
    the database's own errors.
    """
    day = day.with_config(for_day(day))
    settings = settings_of(day.config)
    with closing(DayRows(day, settings)) as taken:
        rows, files = _rows(day, settings, outside, taken)
        table, broken = together(rows)
        images, strangers = taken.images, taken.strangers(IMAGE_ID in table)
    joined = join(_without_silent(table, settings), broken, images, _as_log(day.config, settings), "")
    _refuse_unknown(joined, settings)
    labels = dict(zip(joined.table["image_id"].tolist(), joined.table["prediction"].tolist(), strict=True))
    found = _counted(day, files, joined, strangers, len(images.ids), now)
    asked = images.ids if settings.covers == ALL else [*labels]
    logger.info(
        "%s rows = %s labels + %s earlier + %s without an image %s + %s refused %s; %s of %s images have a label, until %s",
        found.rows, found.labelled, found.earlier, found.without_image, found.strangers, found.refused, found.reasons,
        found.labelled, found.images, found.until,
    )  # fmt: skip
    return TableLabels(labels, asked, found, _enough(found, day.config))


def write_labels(day: DayStore, read: TableLabels) -> None:
    """Writes assignments.parquet, labels.parquet and label_table.json. The same labels give the same bytes.

    Where every image gets a label sooner or later, those without one are `unanswered`; else only labelled ones are in the tables.
    """
    import pandas as pd

    config = for_day(day)
    submitted = labels_until(day.date, 0).isoformat()
    answers = (
        Answer(ANNOTATOR, ANNOTATOR, image_id, label, False, None, ACCEPTED, submitted, 0.0, 0.0)
        for image_id, label in read.labels.items()
    )
    votes = pd.DataFrame(
        {"task": [*read.labels], "annotator": ANNOTATOR, "answer": [*read.labels.values()]}, dtype=object
    )
    merged = merge_answers(votes, MergeRules(config.classes, config.labels.unclear_answer), read.asked)
    table = assignments_table(answers).astype({"control": bool, "seconds": float, "reward": float})
    day.storage.write_table(day.keys.assignments, table)
    day.storage.write_table(day.keys.labels, merged.rename(columns={"task": "image_id"}))
    day.write(read.found)


def _rows(day: DayStore, settings: LabelTableConfig, outside: Outside, taken: DayRows) -> tuple[list[Rows], int]:
    """What is `taken` of each file's rows, or of those of the query; and the number of files."""
    log = settings.as_log()
    wanted = sources(log.columns)
    if settings.query is not None:
        records = outside.query(settings, day.date)
        _refuse_absent(records, wanted.values())
        return [taken.take(Rows(table_of(records, wanted)))], 0
    place = place_of(log, day.date, day.storage, outside.elsewhere)
    try:
        rows = read_log(place, settings.settle_seconds, lambda file: taken.take(parse(file, log).rows), taken.begin)
    except NoLog:
        logger.info("%s is not there yet", place.url)
        return [Rows(table_of((), wanted))], 0
    return rows, len(rows)


def _refuse_absent(records: Sequence[dict[str, Any]], wanted: Any) -> None:
    absent = sorted({*wanted} - {*records[0]}) if records else []
    if absent:
        raise NeedsAttention(
            f"the rows of labels.table.query have no column {', '.join(map(repr, absent))}; they have {sorted(records[0])[:20]}. "
            "Correct labels.table.columns or the query"
        )


def _without_silent(table: pd.DataFrame, settings: LabelTableConfig) -> pd.DataFrame:
    """Labels that say nothing yet are empty."""
    silent = {folded(name) for name, of in settings.values.items() if of is None}
    if not silent:
        return table
    return table.assign(
        **{PREDICTION: [None if folded(text_of(value) or "") in silent else value for value in table[PREDICTION]]}
    ).astype({PREDICTION: object})


def _as_log(config: MonitorConfig, settings: LabelTableConfig) -> MonitorConfig:
    """The monitor, as if the table were production's log."""
    model = config.model.model_copy(update={"logged": settings.as_log(), "predictions": "logged"})
    return config.model_copy(update={"model": model})


def _refuse_unknown(joined: Joined, settings: LabelTableConfig) -> None:
    unknown = joined.reasons.get(UNKNOWN_CLASS, 0)
    of = unknown + len(joined.table) + joined.earlier
    if unknown > settings.max_unknown * of:
        raise UnknownLabels(
            f"{unknown} of {of} labels are no class: {', '.join(joined.unknown_classes)}; labels.table.max_unknown allows a share of "
            f"{settings.max_unknown:g}. Map them by labels.table.values (null: it says nothing yet), or numbers by labels.table.class_numbers"
        )


def _counted(day: DayStore, files: int, joined: Joined, others: Counter[str], images: int, now: datetime) -> LabelTable:
    settings = settings_of(day.config)
    labels, until = len(joined.table), labels_until(day.date, day.config.labels.wait_days)
    strangers = dict(sorted((Counter(joined.strangers) + others).items()))
    complete = settings.covers == ALL and labels == images
    found = LabelTable(
        covers=settings.covers,
        images=images,
        labelled=labels,
        until=until,
        open=not complete and now < until,
        day=day.date,
        source=f"connection {settings.connection}" if settings.query else str(settings.path),
        files=files,
        rows=joined.rows + others.total(),
        earlier=joined.earlier,
        without_image=sum(strangers.values()),
        refused=sum(joined.reasons.values()),
        strangers=strangers,
        reasons=joined.reasons,
        unknown_classes=joined.unknown_classes,
    )
    of_images = sampled_from(day)
    if settings.covers == ALL and of_images is not None:
        found = found.model_copy(update={"of_images": of_images})
    why = _no_interval(found, day.config.labels.min_coverage)
    return found if why is None else found.model_copy(update={"no_interval": why})


def _no_interval(found: LabelTable, min_coverage: float) -> str | None:
    """Why the labels say nothing of the images without one; None where they do."""
    if found.covers == UNKNOWN:
        return "nobody knows how the labelled images were chosen (labels.table.covers is unknown), and that may have to do with what is in them"
    if found.covers == ALL and found.share < min_coverage:
        whole = "" if found.of_images is None else f" sampled from {found.of_images:,}"
        return (
            f"{found.labelled} of {found.images} images{whole} have a label, and labels.min_coverage is {min_coverage:.0%}: those that are known "
            "first need not be like the others"
        )
    return None


def _enough(found: LabelTable, config: MonitorConfig) -> bool:
    """Whether the day can be judged by what is there."""
    if found.covers == ALL:
        return found.share >= config.labels.min_coverage
    return found.labelled >= config.performance.min_labels

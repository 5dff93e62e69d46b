"""A day's answers from production's log: read, joined with the day's images, accounted for, and written like the answers of a model."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftwatch.artifacts.answers import AnswerCounts, Answers, LogFile
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore
from driftwatch.config.logged import LoggedConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import keeping_answers
from driftwatch.images.layout import below, images_root
from driftwatch.models.content import GIST, content_of, kind_of_day
from driftwatch.models.logged.columns import SCORE, Rows
from driftwatch.models.logged.files import place_of, read_log
from driftwatch.models.logged.formats import ParsedFile, parse, rows_of
from driftwatch.models.logged.join import ACCEPTED, NO_FILE, Images, Joined, join
from driftwatch.storage.addresses import without_scheme
from driftwatch.storage.arrays import writing_rows
from driftwatch.storage.tables import writing_table

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import MonitorConfig
    from driftwatch.images.shards import Shard
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

# Opens the storage of another address than the monitor's own.
Elsewhere = Callable[[str], "Storage"]


class LogRefused(NeedsAttention):
    """More images are without an answer, or more answers without an image, than the monitor file allows."""


def settings_of(config: MonitorConfig) -> LoggedConfig:
    """The section model.logged. Raises NeedsAttention where the monitor file has none."""
    if config.model.logged is None:
        raise NeedsAttention(
            f"{config.name}: production's log is needed, and the monitor file has no section model.logged"
        )
    return config.model.logged


def answer_day(day: DayStore, version: str, elsewhere: Elsewhere, shards: int = 0) -> Answers:
    """Production's answers on the day: writes answers.json, predictions.parquet and, where there are embeddings or GIST, embeddings.npy.

    An image without an answer has no row. No image is read, but for GIST its stored input; a day in `shards` may have that already.
    `version`: the one that judges the day, and who answered where the log does not say it. Raises NoLog, StillWritten, BrokenLog,
    AnsweredTwice, and, when the counts are written, LogRefused.
    """
    settings = settings_of(day.config)
    place = place_of(settings, day.date, day.storage, elsewhere)
    files = read_log(place, settings.settle_seconds, partial(parse, settings=settings))
    rows = rows_of(files, settings)
    images = images_of(day)
    joined = join(*together(rows), images, day.config, version)
    found = _counted(day, files, rows, images, joined)
    day.write(found)
    _log(found)
    _refuse_too_many(found, settings)
    _write(day, version, joined, len(images.ids), shards)
    return found


def together(rows: Sequence[Rows]) -> tuple[pd.DataFrame, Counter[str]]:
    """The rows of all files in order, and the unreadable ones of all."""
    import pandas as pd

    tables = [found.table for found in rows if len(found.table)] or [rows[0].table]
    return pd.concat(tables, ignore_index=True), sum((found.broken for found in rows), Counter())


def images_of(day: DayStore) -> Images:
    """The day's images as its manifest has them."""
    table = day.storage.read_arrow(day.keys.manifest, ["key", "image_id", "status"]).to_pydict()
    root = images_root(day)
    rows = list(zip(table["key"], table["image_id"], table["status"], strict=True))
    files = {below(root, own_key(day.config.name, key)): (image_id, status) for key, image_id, status in rows}
    ids = [image_id for _, image_id, status in rows if status == ACCEPTED]
    of_monitor = root == day.keys.incoming  # whose name may be another in production
    return Images(ids, files, root.partition("/")[2] if of_monitor else without_scheme(root))


def shard_content(day: DayStore, version: str, shard: Shard) -> None:
    """The GIST of one shard's images, for `answer_day`, where content is judged by it. No image is read otherwise."""
    if kind_of_day(day.monitor, version, _embeds(day.config)) == GIST:
        images = DayInputs(day).blocks(shard.blocks)
        day.storage.write_array(_shard_key(day, shard.number), _gist(images))


def _embeds(config: MonitorConfig) -> bool:
    return settings_of(config).columns.embedding is not None


def _shard_key(day: DayStore, number: int) -> str:
    return day.keys.shard(number, "embeddings.npy")


def _gist(images: Iterator[np.ndarray]) -> np.ndarray:
    found = content_of(GIST, None, images)
    assert found is not None
    return found


def _counted(
    day: DayStore, files: Sequence[ParsedFile], rows: Sequence[Rows], images: Images, joined: Joined
) -> Answers:
    """answers.json. What an earlier run found stays in it, where that was something else."""
    versions = Counter(joined.table["model_version"].tolist())
    found = Answers(
        day=day.date,
        files=len(files),
        log=tuple(
            LogFile(name=file.name, bytes=file.bytes, rows=len(one.table) + one.broken.total())
            for file, one in zip(files, rows, strict=True)
        ),
        rows=joined.rows,
        used=len(joined.table),
        earlier=joined.earlier,
        without_image=sum(joined.strangers.values()),
        refused=sum(joined.reasons.values()),
        images=len(images.ids),
        unanswered=len(images.ids) - len(joined.table),
        strangers=joined.strangers,
        reasons=joined.reasons,
        unknown_classes=joined.unknown_classes,
        other_case=joined.other_case,
        not_the_highest=joined.not_the_highest,
        scores=joined.has_scores,
        embeddings=joined.embeddings is not None,
        versions=dict(sorted(versions.items())),
    )
    earlier = day.find(Answers)
    if earlier is None:
        return found
    before = earlier.before if counts_of(earlier) == counts_of(found) else counts_of(earlier)
    return found if before is None else found.model_copy(update={"before": before})


def counts_of(found: Answers) -> AnswerCounts:
    """The counts alone, to be compared."""
    return AnswerCounts(**{name: getattr(found, name) for name in AnswerCounts.model_fields})


def _log(found: Answers) -> None:
    logger.info(
        "%s rows of %s files = %s used + %s earlier + %s without an image %s + %s refused %s; %s of %s images have no answer",
        found.rows, found.files, found.used, found.earlier, found.without_image, found.strangers, found.refused,
        found.reasons, found.unanswered, found.images,
    )  # fmt: skip
    if found.before is not None:
        logger.info(
            "An earlier run found %s rows of %s files, used %s, and left %s images without an answer",
            found.before.rows, found.before.files, found.before.used, found.before.unanswered,
        )  # fmt: skip


def _refuse_too_many(found: Answers, settings: LoggedConfig) -> None:
    unanswered, strange = found.unanswered, found.strangers.get(NO_FILE, 0)
    why = f" Refused rows: {found.reasons}." if found.reasons else ""
    if found.unknown_classes:
        why += (
            f" Unknown classes: {', '.join(found.unknown_classes)}: map them by model.logged.classes, or numbers by "
            "model.logged.class_numbers."
        )
    if found.images and unanswered > settings.max_unanswered * found.images:
        raise LogRefused(
            f"{unanswered} of the {found.images} images of {found.day} have no answer in production's log of {found.rows} rows, of "
            f"which {strange} are about files that are not there; model.logged.max_unanswered allows a share of "
            f"{settings.max_unanswered:g}.{why} Run predict_labels again when the log is complete, or correct the section"
        )
    if found.rows and strange > settings.max_without_image * found.rows:
        raise LogRefused(
            f"{strange} of the {found.rows} rows of production's log of {found.day} are about files that the day's folder does not "
            f"have; model.logged.max_without_image allows a share of {settings.max_without_image:g}.{why} Look at "
            "model.logged.columns.key and key_pattern, and whether all images were delivered"
        )


def _write(day: DayStore, version: str, joined: Joined, images: int, shards: int) -> None:
    """predictions.parquet and embeddings.npy, in the order of the manifest."""
    scored = [name for name in joined.table.columns if name.startswith(SCORE)]
    schema = pa.schema([(name, pa.float64() if name in scored else pa.string()) for name in joined.table.columns])
    table = pa.Table.from_pandas(joined.table, schema=schema, preserve_index=False)
    parts = _content(day, version, joined, images, shards)
    first = next(parts)
    with (
        writing_rows(day.storage, day.keys.embeddings, len(table), first) as add,
        writing_table(day.storage, day.keys.predictions, schema) as predictions,
        keeping_answers(day, schema, first, table["image_id"]) as judged,
    ):
        predictions.add(table)
        if judged:
            judged.add_table(table)
        for part in chain([first], parts):
            add(part)
            if judged:
                judged.add_embeddings(part)
    for number in range(shards):
        day.storage.delete(_shard_key(day, number))


def _content(day: DayStore, version: str, joined: Joined, images: int, shards: int) -> Iterator[np.ndarray | None]:
    """What the content of the answered images is judged by, piece by piece: the log's embeddings, GIST, or None."""
    kind = kind_of_day(day.monitor, version, _embeds(day.config))
    if kind != GIST:
        yield content_of(kind, joined.embeddings, ())
        return
    answered = np.zeros(images, bool)
    answered[joined.places] = True
    yield _gist(iter(()))
    start = 0
    for piece in _gist_pieces(day, shards):
        yield piece[answered[start : start + len(piece)]]
        start += len(piece)
    if start != images:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.inputs)} has {start} images, and the manifest {images}: clear ingest_images for {day.date}"
        )


def _gist_pieces(day: DayStore, shards: int) -> Iterator[np.ndarray]:
    """The GIST of all images: as the shards left it, or now. After the day was written once, the shards' files are gone."""
    keys = [_shard_key(day, number) for number in range(shards)]
    there = {item.key for item in day.storage.list(day.keys.shards)} if shards else set()
    if keys and there.issuperset(keys):
        return (day.storage.read_array(key) for key in keys)
    return (_gist(iter((block,))) for block in DayInputs(day).blocks())

"""What became of each row of a day's log, written down, and refused where it is too little."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from driftwatch.artifacts.answers import AnswerCounts, Answers, LogFile
from driftwatch.artifacts.store import DayStore
from driftwatch.config.logged import LoggedConfig
from driftwatch.errors import NeedsAttention
from driftwatch.models.logged.join import NO_FILE, JoinedCounts

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

logger = logging.getLogger(__name__)


class LogRefused(NeedsAttention):
    """More images are without an answer, or more answers without an image, than the monitor file allows."""


def settings_of(config: MonitorConfig) -> LoggedConfig:
    """The section model.logged. Raises NeedsAttention where the monitor file has none."""
    if config.model.logged is None:
        raise NeedsAttention(
            f"{config.name}: production's log is needed, and the monitor file has no section model.logged"
        )
    return config.model.logged


def counted(day: DayStore, log: tuple[LogFile, ...], images: int, joined: JoinedCounts) -> Answers:
    """answers.json. What an earlier run found stays in it, where that was something else. `images`: how many the day has."""
    found = Answers(
        day=day.date,
        files=len(log),
        log=log,
        rows=joined.rows,
        used=joined.used,
        earlier=joined.earlier,
        without_image=sum(joined.strangers.values()),
        refused=sum(joined.reasons.values()),
        images=images,
        unanswered=images - joined.used,
        strangers=dict(joined.strangers),
        reasons=dict(joined.reasons),
        unknown_classes=joined.unknown_classes,
        other_case=joined.other_case,
        not_the_highest=joined.not_the_highest,
        scores=joined.scores,
        embeddings=joined.embeddings,
        versions=dict(sorted(joined.versions.items())),
    )
    earlier = day.find(Answers)
    if earlier is None:
        return found
    before = earlier.before if counts_of(earlier) == counts_of(found) else counts_of(earlier)
    return found if before is None else found.model_copy(update={"before": before})


def write_counts(day: DayStore, found: Answers) -> None:
    """Writes answers.json, and tells it. Raises LogRefused."""
    day.write(found)
    _log(found)
    _refuse_too_many(found, settings_of(day.config))


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

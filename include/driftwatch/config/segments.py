"""The sections `segments` and `profiling.segments` of the monitor file: how the images are divided, and how each part is judged."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from driftwatch.config.logged import Column, LoggedColumns, at_day, refuse_no_place, with_a_group
from driftwatch.config.parts import Fraction, OpenFraction, Section

# Every monitor has this segmentation: the model makes it.
PREDICTED_CLASS: Final = "predicted_class"
MOST_SEGMENTATIONS: Final = 10
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_ENDS = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
_EXAMPLE = "^([^/]+)/"


def refuse_no_table(value: str) -> str:
    """Raises ValueError for what is no path of one table below the storage's root."""
    if "://" in value or re.search(r"[*?]", value):
        raise ValueError("is one file below the storage's root, such as metadata/{day}.csv, without :// and without *")
    if not refuse_no_place(value).lower().removesuffix(".gz").endswith(_ENDS):
        raise ValueError(f"does not tell its format: allowed ends are {', '.join(_ENDS)}, with .gz after it or not")
    return value


class SegmentTable(Section):
    """A table beside the images that says which segment each one is in."""

    path: str = Field(
        min_length=1,
        max_length=1000,
        description="The file, below the storage's root: .csv, .tsv, .parquet, .jsonl or .ndjson, with .gz after it or not. `{day}` is the day as YYYY-MM-DD, `{day:%Y/%m/%d}` as the format says. Without it one file is for all days. Where it lies among the images, `images.ignore` must name it.",
    )
    key: Column = Field(
        "key",
        description="The column with the image's path below the day's folder, or its whole address that ends with that.",
    )
    column: Column = Field(description="The column with the segment's name.")
    missing: Literal["fail", "unknown"] = Field(
        "fail",
        description="What to do where the file or a column is not there. fail: the day fails, and says what is missing. unknown: its images are in no segment. An image without a row is in no segment either way, and is counted.",
    )

    @field_validator("path")
    @classmethod
    def _is_a_file(cls, value: str) -> str:
        return refuse_no_table(value)

    def path_of(self, day: date) -> str:
        """The key of one day's file."""
        return at_day(self.path, day)


class SegmentConfig(Section):
    """One way to divide the images, a segmentation. Exactly one of `key`, `table` and `logged` says where an image's segment stands."""

    key: str | None = Field(
        None,
        max_length=1000,
        description="A regular expression on an image's path below the day's folder; its first group is the segment's name: `^([^/]+)/` takes the first folder. An image that it does not fit is in no segment.",
    )
    table: SegmentTable | None = None
    logged: Column | None = Field(
        None,
        description="A column of production's log, one of `model.logged.columns.segments`. It is known once the day's log is read, so image quality is not judged by it.",
    )

    tell_new_and_missing: bool = Field(
        True,
        description="Whether a new segment and one without an image are told. Set it to false where segments come and go by nature, such as customers.",
    )

    @field_validator("key")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        return value if value is None else with_a_group(value, _EXAMPLE)

    @model_validator(mode="after")
    def _one_source(self) -> SegmentConfig:
        given = [name for name in ("key", "table", "logged") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"exactly one of key, table and logged says where an image's segment stands; {' and '.join(given) or 'none'} is given"
            )
        return self

    @property
    def known_at_ingest(self) -> bool:
        """Whether the manifest has it. Another one is known once the model's answers are."""
        return self.logged is None


def _named(value: dict[str, SegmentConfig]) -> dict[str, SegmentConfig]:
    for name in value:
        if name == PREDICTED_CLASS:
            raise ValueError(f"{name} is a segmentation of every monitor already: take another name, or leave it out")
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r:.80} is no name: small letters, digits and _ are allowed, a letter first, such as camera"
            )
    if len(value) > MOST_SEGMENTATIONS:
        raise ValueError(f"{len(value)} segmentations; at most {MOST_SEGMENTATIONS} are allowed")
    return value


SegmentsConfig = Annotated[dict[str, SegmentConfig], AfterValidator(_named)]


def refuse_unlogged(segments: dict[str, SegmentConfig], logged: LoggedColumns | None) -> None:
    """Raises ValueError for a segmentation by a column that the log is not read for."""
    for name, of in segments.items():
        if of.logged is not None and (logged is None or of.logged not in logged.segments):
            kept: Any = list(logged.segments) if logged else "there is no section model.logged"
            raise ValueError(
                f"segments.{name}.logged {of.logged!r} must be one of model.logged.columns.segments ({kept}): add it there"
            )


class SegmentDriftConfig(Section):
    """How drift of each segment is judged. Used only where the section `segments` names some."""

    false_alarm_share: OpenFraction = Field(
        0.5,
        description="How much of the false-alarm rate of each kind of drift goes to its segments, all of them together. The rest goes to the day as a whole, so that the day's rate stays `false_alarm_rate`.",
    )
    min_images: int = Field(
        10,
        ge=5,
        le=1_000_000,
        description="With fewer independent images a segment is not_enough_evidence. It needs at least 50 usual images of its own, too.",
    )
    usual_days: int = Field(
        14,
        ge=1,
        le=365,
        description="A segment is compared with its own images of the last so many days on which it was usual; of at most 60 days before.",
    )
    max_images: int = Field(
        1_000,
        ge=50,
        le=20_000,
        description="With at most so many of its own images a segment is compared: a random sample of them.",
    )
    new_days: int = Field(
        7,
        ge=1,
        le=365,
        description="A segment that no earlier day had is new. It is told once; so is one that comes again after so many days of data without an image.",
    )
    missing_share: Fraction = Field(
        0.8,
        description="A segment without an image is missing if it had images on at least this share of the last `new_days` days of data. With fewer than 3 days of data nothing is missing.",
    )

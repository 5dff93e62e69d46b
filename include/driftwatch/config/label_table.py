"""The section `labels.table` of the monitor file: where the truth is that comes by itself."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from driftwatch.config.logged import Column, LoggedColumns, LoggedConfig, at_day, refuse_no_place, with_a_group
from driftwatch.config.parts import Fraction, Section, refuse_alike

ALL, RANDOM, UNKNOWN = "all", "random", "unknown"
# Of these days a path that names the day makes four different ones.
_UNLIKE: Final = (date(2026, 3, 4), date(2026, 3, 5), date(2026, 4, 4), date(2027, 3, 4))
# What stands for the day in a query. `::date`, as Postgres has it, is none.
BOUND: Final = re.compile(r"(?<![:\w]):(day|next_day)\b")


class LabelColumns(Section):
    """Where each thing stands in a row of the table. In JSON a name may lead inside by dots. Columns of a CSV file without a header are
    numbered from 0."""

    key: Column | None = Field(
        None,
        description="The image's path below the day's folder, or its whole address that ends with that. Where neither path nor query names the day (`{day:%Y-%m}` names a month), it must be the whole address, which does.",
    )
    image_id: Column | None = Field(None, description="The sha256 of the image's bytes, in hex; instead of `key`.")
    label: Column = Field(description="What is in the image.")
    time: Column | None = Field(
        None,
        description="When it was found out: ISO 8601, or seconds, milliseconds or microseconds since 1970. It decides which of two labels of an image is the last. null: the order of files and rows does.",
    )

    @model_validator(mode="after")
    def _one_way_to_the_image(self) -> LabelColumns:
        if bool(self.key) == bool(self.image_id):
            raise ValueError("one of key and image_id is needed: it says which image a row is about")
        return self


class TableAsLog(LoggedConfig):
    """A table of the truth, read as a log is: the label is the answer."""

    section = "labels.table"


class LabelTableConfig(Section):
    """The truth of images, as files or a database have it. One of `path` and `query` is needed."""

    covers: Literal["all", "random", "unknown"] = Field(
        description="Which of a day's images get a label. all: every one, sooner or later. random: a part that chance alone chose. unknown: some, chosen in ways that may have to do with what is in them; then no interval is claimed.",
    )
    path: str | None = Field(
        None,
        min_length=1,
        max_length=1000,
        description="Where the files lie: below the storage's root, or an address of its own, file:///…, s3://…, gs://… or az://…. `{day}`, `*`, `?` and `**` mean what they mean in model.logged.path. Without {day} the files are those of all days.",
    )
    query: str | None = Field(
        None,
        min_length=1,
        max_length=100_000,
        description="A query in the database's own SQL, whose rows are the table. `:day` and `:next_day` stand for the day and the day after it, as YYYY-MM-DD; they are bound, not written into the text.",
    )
    connection: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The Airflow connection of the database of `query`; or as storage.connection, for a path at s3://, gs:// or az://, where null means the machine's own role.",
    )
    format: Literal["auto", "parquet", "csv", "jsonl"] = Field(
        "auto",
        description="auto: by the name's end, .parquet, .csv, .tsv, .jsonl, .ndjson or .json, with .gz after it or not.",
    )
    header: bool = Field(True, description="For CSV: whether the first line names the columns.")
    separator: str = Field(
        ",", pattern=r"^(.|tab)$", description="For CSV: what stands between two fields: one sign, or the word tab."
    )
    columns: LabelColumns = Field(description="Where each thing stands in a row.")
    key_pattern: str | None = Field(
        None,
        description="A regular expression on what `key` holds; its first group is the path below the day's folder. A key that it does not fit has no image.",
    )
    values: dict[Column, Column | None] = Field(
        default_factory=dict,
        description="What the table calls a class, and what `classes` calls it; null: such a row says nothing yet, and is counted as one without a class. Names that differ in upper and lower case alone need no entry.",
    )
    class_numbers: Literal[0, 1] | None = Field(
        None,
        description="Where the table has numbers for classes: the number of the first of `classes`. null: a number is a name like any other.",
    )
    answered_twice: Literal["last", "refuse"] = Field(
        "last", description="An image that has two rows. last: the last one counts. refuse: the day fails."
    )
    max_unknown: Fraction = Field(
        0.05,
        description="The day fails if a larger share of the rows about its images has a label that is no class. Fewer are counted and named.",
    )
    settle_seconds: float = Field(
        60,
        ge=0,
        le=3600,
        description="For files on a file system: one that was written to less than this many seconds ago may still be growing, and is looked at again after this time.",
    )
    look_hours: float = Field(
        24, gt=0, le=168, description="How many hours lie between two looks at the table, until it is complete."
    )

    @field_validator("path")
    @classmethod
    def _is_a_place(cls, value: str | None) -> str | None:
        if value is not None:
            refuse_no_place(value)
        return value

    @field_validator("key_pattern")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        return value if value is None else with_a_group(value)

    @model_validator(mode="after")
    def _can_be_read(self) -> LabelTableConfig:
        if bool(self.path) == bool(self.query):
            raise ValueError("one of path and query is needed: files, or a database")
        if self.query and not self.connection:
            raise ValueError("query needs connection: the Airflow connection of its database")
        if self.key_pattern and not (self.columns.key and self.of_a_day):
            raise ValueError(
                "key_pattern needs columns.key, and a path or query that names the day: without it nothing would say which day an image is of"
            )
        refuse_alike([*self.values])
        return self

    @property
    def of_a_day(self) -> bool:
        """Whether what is read is about one day, and not about all of them, or those of a month."""
        if self.query is not None:
            return bool(BOUND.search(self.query))
        assert self.path is not None
        return len({at_day(self.path, day) for day in _UNLIKE}) == len(_UNLIKE)

    def as_log(self) -> TableAsLog:
        """The same as the settings of a log, whose answers are the labels. They were checked here, and are not checked again."""
        shared: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "path",
                "connection",
                "format",
                "header",
                "separator",
                "key_pattern",
                "class_numbers",
                "answered_twice",
                "settle_seconds",
            )
        }
        columns = LoggedColumns(
            key=self.columns.key,
            image_id=self.columns.image_id,
            prediction=self.columns.label,
            time=self.columns.time,
        )
        classes = {name: of for name, of in self.values.items() if of is not None}
        return TableAsLog.model_construct(**shared, columns=columns, classes=classes)

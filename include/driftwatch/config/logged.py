"""The section `model.logged` of the monitor file: where production writes down what it answered, and how that is read."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from driftwatch.config.parts import Fraction, Section, refuse_alike
from driftwatch.config.storage import refuse_no_address


def _column(value: Any) -> Any:
    """Columns without a name are numbered: `0` in YAML is a number."""
    return str(value) if type(value) is int else value


Column = Annotated[str, BeforeValidator(_column), Field(min_length=1, max_length=500)]

# Formats that say themselves where an image's key and its answer stand.
KSERVE = "kserve"
PRESETS = ("sagemaker", KSERVE)
DAY = re.compile(r"\{day(?::(?P<format>[^{}]*))?\}")
_EXAMPLE = date(2026, 3, 4)


class LoggedColumns(Section):
    """Where each thing stands in a row. In JSON a name may lead inside by dots: `output.predictions.0`. Columns of a CSV file without a
    header are numbered from 0. Formats sagemaker and kserve have defaults of their own.
    """

    key: Column | None = Field(
        None,
        description="The image's path below the day's folder, or its whole address that ends with that. Of a registration: its path below the images folder.",
    )
    image_id: Column | None = Field(None, description="The sha256 of the image's bytes, in hex; instead of `key`.")
    prediction: Column | None = Field(
        None, description="The predicted class. null: the class with the highest score, of which the first wins a tie."
    )
    scores: Column | dict[Column, Column] | None = Field(
        None,
        description="The scores: a mapping of each class to its column, or one column that holds a list in the order of `classes`, a mapping by class, or, for two classes, the chance of model.positive_class. null: there are no scores, and what needs them is not available.",
    )
    model_version: Column | None = Field(
        None, description="The version that answered, as production names it; null: the champion's version."
    )
    time: Column | None = Field(
        None,
        description="When it was answered: ISO 8601, or seconds, milliseconds or microseconds since 1970. It decides which of two answers is the last. null: the order of files and rows does.",
    )
    embedding: Column | None = Field(None, description="What the model sees in the image: a list of numbers.")
    segments: tuple[Column, ...] = Field(
        (), description="Columns that are kept with each answer as `segment.<name>`, such as a camera or a country."
    )

    @model_validator(mode="after")
    def _one_way_to_the_image(self) -> LoggedColumns:
        if self.key and self.image_id:
            raise ValueError("key and image_id both say which image it is: keep one")
        names = [self.segment(column) for column in self.segments]
        if len(set(names)) != len(names):
            raise ValueError(f"segments {names}: two of them have the same last part, which names the segment")
        return self

    @staticmethod
    def segment(column: str) -> str:
        """The segment's name: the last part of its column's."""
        return column.rpartition(".")[2]


class LoggedConfig(Section):
    """The files in which production writes down what it answered."""

    section: ClassVar[str] = "model.logged"  # how messages name it

    path: str = Field(
        min_length=1,
        max_length=1000,
        description="Where a day's files lie: below the storage's root, or an address of its own, file:///…, s3://…, gs://… or az://…. `{day}` is the day as YYYY-MM-DD, `{day:%Y/%m/%d}` as the format says. `*` stands for any letters of a name, `?` for one, and the folder `**` for any folders; hidden files and names that begin with `_` are left out then.",
    )
    connection: str | None = Field(
        None,
        description="The Airflow connection for a path at s3://, gs:// or az://, as storage.connection; null means the machine's own role.",
    )
    format: Literal["auto", "parquet", "csv", "jsonl", "sagemaker", "kserve"] = Field(
        "auto",
        description="auto: by the name's end, .parquet, .csv, .tsv, .jsonl, .ndjson or .json, with .gz after it or not. sagemaker: SageMaker's data capture. kserve: CloudEvents of KServe's request logger, one in each line.",
    )
    header: bool = Field(True, description="For CSV: whether the first line names the columns.")
    separator: str = Field(
        ",", pattern=r"^(.|tab)$", description="For CSV: what stands between two fields: one sign, or the word tab."
    )
    columns: LoggedColumns = Field(default_factory=LoggedColumns)
    key_pattern: str | None = Field(
        None,
        description="A regular expression on what `key` holds; its first group is the path below the day's folder. A key that it does not fit has no image.",
    )
    classes: dict[Column, Column] = Field(
        default_factory=dict,
        description="What production calls a class, and what `classes` calls it. Names that differ in upper and lower case alone need no entry; they are counted.",
    )
    class_numbers: Literal[0, 1] | None = Field(
        None,
        description="Where production writes numbers for classes: the number of the first of `classes`. null: a number is a name like any other.",
    )
    answered_twice: Literal["last", "refuse"] = Field(
        "last", description="An image that was answered twice. last: its last answer counts. refuse: the day fails."
    )
    max_unanswered: Fraction = Field(
        0.05, description="The day fails if a larger share of its accepted images has no answer."
    )
    max_without_image: Fraction = Field(
        0.05,
        description="The day fails if a larger share of the rows is about files that the day's folder does not have.",
    )
    wait_hours: float = Field(
        0,
        ge=0,
        le=168,
        description="How many hours after the day was delivered (schedule.delivery_hours) its log may still be missing or incomplete. Until then a run of the schedule waits, without a worker's slot, and looks every ten minutes.",
    )
    settle_seconds: float = Field(
        60,
        ge=0,
        le=3600,
        description="For files on a file system: one that was written to less than this many seconds ago may still be growing. It is looked at again after this time, up to five times. 0 never waits.",
    )

    @field_validator("path")
    @classmethod
    def _is_a_place(cls, value: str) -> str:
        if refuse_no_place(value) == value:
            raise ValueError("names no day: every day would have the same answers; put {day} where the day stands")
        return value

    @field_validator("key_pattern")
    @classmethod
    def _has_a_group(cls, value: str | None) -> str | None:
        return value if value is None else with_a_group(value)

    @model_validator(mode="after")
    def _can_be_read(self) -> LoggedConfig:
        columns = self.columns
        if self.format not in PRESETS:
            if not (columns.key or columns.image_id):
                raise ValueError("columns.key or columns.image_id is needed: it says which image a row is about")
            if not (columns.prediction or columns.scores):
                raise ValueError("columns.prediction or columns.scores is needed: there is no answer otherwise")
        refuse_alike([*self.classes])
        return self

    def path_of(self, day: date) -> str:
        """The place of one day's files."""
        return at_day(self.path, day)


def at_day(path: str, day: date) -> str:
    """The path of one day: `{day}` and `{day:%Y/%m/%d}` are replaced."""
    return DAY.sub(lambda found: day.strftime(found["format"] or "%Y-%m-%d"), path)


def refuse_other_braces(path: str) -> None:
    """Raises ValueError where something else than a day stands in braces."""
    for found in DAY.finditer(path):
        if found["format"] == "" or "%" not in (found["format"] or "%"):
            raise ValueError(f"{found[0]} has no format: {{day}} and {{day:%Y/%m/%d}} are allowed")
    if "{" in DAY.sub("", path) or "}" in DAY.sub("", path):
        raise ValueError("allowed in braces are {day} and {day:%Y/%m/%d}")


def refuse_no_place(path: str) -> str:
    """The path of an example day. Raises ValueError where it can be no place of files."""
    refuse_other_braces(path)
    refuse_no_address(path)
    of_day = at_day(path, _EXAMPLE)
    scheme, mark, rest = of_day.partition("://")
    key = of_day if not mark else rest.removeprefix("/") if scheme == "file" else rest.partition("/")[2]
    if (scheme == "file" and mark and not rest.startswith("/")) or key.startswith("/") or ".." in key.split("/"):
        raise ValueError(
            "allowed are a path below the storage's root, file:///folder/file and s3://bucket/folder/file (or gs://, az://), without '..'"
        )
    if "/" not in re.split(r"[*?]", key, maxsplit=1)[0]:
        raise ValueError("needs a folder of one name before the file's, and before the first * or ?")
    return of_day


def with_a_group(pattern: str, example: str = "^s3://inbox/(.+)$") -> str:
    """The regular expression. Raises ValueError, with an `example`, where it is none, or has no group."""
    try:
        groups = re.compile(pattern).groups
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is no regular expression: {error}; an example that is one: {example}") from error
    if not groups:
        raise ValueError(f"needs a group in parentheses, such as {example}")
    return pattern

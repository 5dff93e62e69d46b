"""The section `images.layout` of the monitor file: where a day's images lie, if not in `incoming/`."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import Field, field_validator, model_validator

from driftwatch.config.logged import DAY, Column, at_day, refuse_no_place, refuse_other_braces
from driftwatch.config.parts import Section
from driftwatch.config.storage import refuse_no_address

_SCHEME = re.compile(r"(?:file:///|(?!file:)[a-z][a-z0-9+.-]*://)(?=[^/])")
_EXAMPLE = date(2026, 3, 4)
# Days that two formats could take for one: with %d alone, with %m-%d, with %Y-%m.
_OTHERS = (date(2026, 4, 4), date(2027, 3, 4), date(2026, 3, 5))
_OF_HOURS = re.compile(r"%[-_0^#]?[HIMSpfzZXcTrRs]")
_OWN_PLACES = ("incoming", "training")  # below a monitor's folder


class InventoryConfig(Section):
    """A file that names the day's images: CSV, TSV, Parquet or JSON Lines, with .gz after it or not, or the `manifest.json` of an S3
    Inventory, whose columns say themselves what they are.
    """

    path: str = Field(
        min_length=1,
        max_length=1000,
        description="The file of a day: below the storage's root, or an address of its own, as in `images.layout.paths`. `{day}` is the day as YYYY-MM-DD, `{day:%Y/%m/%d}` as the format says; the day of the images, or `days_later`.",
    )
    days_later: int = Field(
        0,
        ge=0,
        le=7,
        description="How many days after the day of the images the `{day}` of `path` is. An S3 Inventory is named by when it was begun, so the first that has the whole of a day is the next day's: 1. One that was begun before the day's end is refused. The file has to be there when the day's run starts, `schedule.delivery_hours` after the day's end, or `images.wait_hours` later.",
    )
    key: Column = Field(
        "key",
        description="The column with the image's path below `images.layout.paths`, or its whole address. An object outside of that place is refused; in an S3 Inventory, which has the whole bucket, it is left out.",
    )
    size: Column | None = Field(None, description="The column with its size in bytes. null: it is not known.")

    @field_validator("path")
    @classmethod
    def _is_a_file_of_a_day(cls, value: str) -> str:
        of_day = refuse_no_place(value)
        if of_day == value:
            raise ValueError("names no day: every day would have the same images; put {day} where the day stands")
        if "*" in value:
            raise ValueError("is one file of each day, without *")
        name = of_day.rpartition("/")[2].lower()
        if name != "manifest.json" and not name.removesuffix(".gz").endswith(
            (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson")
        ):
            raise ValueError(
                "does not tell its format: allowed ends are .csv, .tsv, .parquet, .jsonl and .ndjson, with .gz after it or not, and manifest.json"
            )
        return value

    def path_of(self, day: date) -> str:
        """The place of the file with one day's images."""
        return at_day(self.path, day + timedelta(days=self.days_later))

    @property
    def of_bucket(self) -> bool:
        """Whether it is an S3 Inventory, which has the whole bucket."""
        return self.path.rpartition("/")[2].lower() == "manifest.json"


class LayoutConfig(Section):
    """Where the images of a day lie. Nothing is ever written, moved or deleted there. Without this section they lie in
    `<name>/incoming/<day>` of the storage.
    """

    paths: tuple[str, ...] = Field(
        min_length=1,
        max_length=50,
        description="The folder of a day's images, or a list of several: below the storage's root, or an address of its own, file:///…, s3://…, gs://… or az://…. Everything below it is of the day. `{day}` is the UTC day as YYYY-MM-DD, `{day:%Y/%m/%d}` as the format says. `*` stands for any letters within one part of the path: `dt={day}/hour=*`, `cams/*/{day:%Y/%m/%d}`. All of a list lie in one bucket.",
    )
    connection: str | None = Field(
        None,
        description="The Airflow connection for paths at s3://, gs:// or az://, as storage.connection; null means the machine's own role. It needs the rights to list and to read.",
    )
    inventory: InventoryConfig | None = Field(
        None,
        description="A file that names the day's images, which are then not listed. `paths` says what it may name, and needs no `{day}`, unless it is an S3 Inventory.",
    )

    @field_validator("paths", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("paths")
    @classmethod
    def _are_folders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            _refuse_no_folder(path)
        if len({place_of(path) for path in value}) > 1:
            raise ValueError("lie in several buckets or storages: a monitor reads from one")
        return tuple(path.rstrip("/") for path in value)

    @model_validator(mode="after")
    def _name_a_day(self) -> LayoutConfig:
        if self.inventory is None or self.inventory.of_bucket:
            for path in self.paths:
                if any(at_day(path, other) == at_day(path, _EXAMPLE) for other in _OTHERS):
                    raise ValueError(
                        f"paths: {path!r} does not tell one day from every other: put {{day}} or {{day:%Y/%m/%d}} where the day stands"
                    )
        for path in self.paths:
            if at_day(path, _EXAMPLE) != path and self.day_of(f"{at_day(path, _EXAMPLE)}/x") != _EXAMPLE:
                raise ValueError(
                    f"paths: the day of an image cannot be read back from {path!r}: allowed are %Y, %y, %m, %d and %j, each of them once or always written alike"
                )
        return self

    def paths_of(self, day: date) -> tuple[str, ...]:
        """The folders of one day, with their `*`."""
        return tuple(at_day(path, day) for path in self.paths)

    def day_of(self, key: str) -> date | None:
        """The day whose folder an image lies in, by its stored key; None for an image that lies in none of `paths`."""
        for path in self.paths:
            found = re.match(path_regex(path), key)
            codes = [code for given in DAY.findall(path) for code in re.findall(_CODE, given or "%Y-%m-%d")]
            told = {*zip(codes, found.groups(), strict=True)} if found else set()
            if not told or len(told) > len({*codes}):  # two parts tell two days
                continue
            texts = " ".join(text for _, text in told)
            formats = " ".join(f"%{code}" for code, _ in told)
            try:
                day = datetime.strptime(texts, formats).date()  # noqa: DTZ007 - a day has no time zone
            except ValueError:
                continue
            if any(re.match(path_regex(at), key) for at in self.paths_of(day)):
                return day
        return None

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """What lies at an address of its own."""
        named = (*self.paths, self.inventory.path if self.inventory else "")
        return tuple(path for path in named if "://" in path)

    def refuse_artifacts(self, uri: str, name: str) -> None:
        """Raises ValueError where a path leads into the monitor's own folder, or holds it. `uri`: the storage's."""
        own = [*uri.split("/"), name]
        for path in self.paths:
            parts = at_day(path if "://" in path else f"{uri}/{path}", _EXAMPLE).split("/")
            if all(part_fits(part, theirs) for part, theirs in zip(parts, own, strict=False)):
                raise ValueError(
                    f"images.layout.paths {path!r} leads to {uri}/{name}, where the monitor writes: images lie apart from that. Its own "
                    "incoming/<day> needs no images.layout"
                )


def part_fits(pattern: str, name: str) -> bool:
    """Whether a part of a path is one that the pattern stands for."""
    return re.fullmatch(path_regex(pattern, ""), name) is not None


# How a strftime code looks in a path.
_CODE = r"%[-_0^#]?([a-zA-Z])"
_CODES = {"Y": r"\d{4}", "y": r"\d\d", "m": r"\d\d?", "d": r"\d\d?", "j": r"\d{1,3}"}


def path_regex(path: str, end: str = "/") -> str:
    """What a path below the folder begins with. Each code of a `{day}` is a group."""
    parts: list[str] = []
    for place, text in enumerate(DAY.split(path)):  # text and format by turns
        if place % 2:
            pieces = re.split(_CODE, text or "%Y-%m-%d")
            parts += (f"({_CODES.get(one, '[^/]+')})" if at % 2 else re.escape(one) for at, one in enumerate(pieces))
        else:
            parts.append("[^/]*".join(map(re.escape, text.split("*"))))
    return "".join(parts) + end


def _refuse_no_folder(path: str) -> None:
    refuse_other_braces(path)
    if _OF_HOURS.search("".join(found or "" for found in DAY.findall(path))):
        raise ValueError(f"{path!r}: a day has no hours; put * where the hour stands")
    refuse_no_address(path)
    scheme = _SCHEME.match(path)
    parts = at_day(path[scheme.end() :] if scheme else path, _EXAMPLE).rstrip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{path!r}: a folder without empty parts, '.' and '..' is allowed")
    if "**" in path:
        raise ValueError(f"{path!r}: ** is not needed: everything below a path is of the day")
    first = re.split("/", path[scheme.end() :] if scheme else path)[0]
    if "*" in first or ("{" in first and scheme):
        what = "bucket, container or first folder" if scheme else "first folder"
        raise ValueError(f"{path!r}: the {what} has one name, without * and without the day")
    if not scheme and len(parts) > 1 and any(part_fits(parts[1], own) for own in _OWN_PLACES):
        raise ValueError(
            f"{path!r}: incoming and training directly below another folder are a monitor's own; name it by its whole address (s3://…, file:///…)"
        )


def place_of(path: str) -> str:
    """The storage that a path lies in, such as `s3://bucket`; empty for the monitor's."""
    scheme = _SCHEME.match(path)
    return f"{scheme[0]}{path[scheme.end() :].partition('/')[0]}" if scheme else ""

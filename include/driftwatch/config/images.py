"""The section `images` of the monitor file."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from driftwatch.config.layout import LayoutConfig, place_of
from driftwatch.config.parts import Fraction, Section
from driftwatch.config.storage import refuse_no_address

IGNORED_NAMES = (
    ".*",
    "*/",
    "Thumbs.db",
    "desktop.ini",
    "_SUCCESS",
    "*_$folder$",
    "*.json",
    "*.tmp",
    "*.part",
    "*.partial",
)

Format = Literal["jpeg", "png", "webp", "tiff", "bmp", "gif", "avif", "heic"]
FORMATS: tuple[Format, ...] = get_args(Format)


class ImagesConfig(Section):
    """What is accepted as an image. Every other file is ignored, or quarantined with a reason; none is dropped without a word."""

    layout: LayoutConfig | None = None
    earlier: dict[str, str | None] = Field(
        default_factory=dict,
        description="For a monitor whose images lay elsewhere before: each bucket that `layout` led to then, such as `s3://cams`, and the Airflow connection by which it is read; null means the machine's own role. Without it those images are read by `layout.connection`.",
    )
    ignore: tuple[str, ...] = Field(
        IGNORED_NAMES,
        description="Names of files that are neither images nor rejects. They are listed and counted as `ignored`, and never read. "
        "`*` stands for any letters, `?` for one letter, `[ab]` for one of these letters; upper and lower case are the same. "
        "A pattern without `/` is compared with the file's name and with the name of each folder between the day's folder and the file: "
        "`.*` ignores hidden files and everything in hidden folders. A pattern with `/` is compared with the whole path below the day's "
        "folder: `*/` ignores the folder markers of S3 consoles. A list given here replaces the default.",
    )
    settle_seconds: float = Field(
        60,
        ge=0,
        le=3600,
        description="For `file://` storage: a broken image that was written to less than this many seconds ago may still be growing. Ingest "
        "looks at it again after this time, up to five times, and then quarantines it as `still_growing`. A day's table beside the images "
        "(`layout.inventory`, `segments`, `labels.blur`) that was written to since then may be half a table: it is read after this time. A table of all days may be added to at any time: it is "
        "read as it is. 0 never waits.",
    )

    wait_hours: float = Field(
        0,
        ge=0,
        le=168,
        description="How many hours after the day was delivered (schedule.delivery_hours) a table beside its images may still be missing: the file of `layout.inventory`, "
        "and those of `segments` and `labels.blur`. Until then a run of the schedule waits, without a worker's slot, and looks every ten minutes. A table of 0 bytes is missing (but an inventory of JSON Lines, which then names no image); "
        "a table of segments whose `missing` is unknown is not waited for.",
    )

    formats: tuple[Format, ...] = Field(
        ("jpeg", "png", "webp"),
        min_length=1,
        description="What is taken, by a file's content and never by its name; any other file is quarantined as `unsupported_format`. tiff, bmp, gif, avif and heic are off unless named (docs/operate/formats.md says what each costs); heic needs pillow-heif, which the extra driftwatch[heic] installs. A list given here replaces the default.",
    )
    max_bytes: int = Field(20_000_000, gt=0, le=1_000_000_000, description="A file of more bytes is quarantined.")
    max_pixels: int = Field(
        50_000_000, gt=0, le=1_000_000_000, description="An image of more pixels is quarantined before it is decoded."
    )
    min_side: int = Field(32, ge=1, le=10_000, description="An image with a side of fewer pixels is quarantined.")
    max_reject_share: Fraction = Field(
        0.2, description="The day fails if a larger share of its files is quarantined. Ignored files do not count."
    )
    decode_mb: int = Field(
        1000,
        gt=0,
        le=1_000_000,
        description="How many megabytes the images may take that are being decoded at one time, in all threads of a task together. An image that needs more is decoded alone.",
    )
    damaged: Literal["quarantine", "accept"] = Field(
        "quarantine",
        description="What to do with a JPEG that was cut short. quarantine: it is no image of the day. accept: features, hash and the model's input are made of the rows that it has, and the manifest has a note. Any other damage is quarantined; a file that lacks nothing but its end mark is accepted with a note.",
    )
    max_missing_share: Fraction = Field(
        0.1, description="For `damaged: accept`: the largest share of an image's rows that may be missing."
    )
    on_empty_day: Literal["fail", "skip"] = Field(
        "fail", description="What to do on a day without images: fail, or skip the day. Either way an alert tells it."
    )
    shard_size: int = Field(
        20_000,
        ge=1,
        le=10_000_000,
        description="A day with more files than this is cut into shards of this many files (rounded up to a multiple of 256), which tasks handle at the same time; see docs/scaling.md.",
    )

    @field_validator("earlier")
    @classmethod
    def _are_buckets(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        found = {place.rstrip("/"): connection for place, connection in value.items()}
        for place in found:
            refuse_no_address(place)
            if place_of(place) != place or place.startswith("file:"):
                raise ValueError(
                    f"{place!r}: a bucket or container by its address is allowed, such as s3://cams (or gs://, az://); a folder is read without a connection"
                )
        return found

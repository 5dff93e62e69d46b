"""The section `images` of the monitor file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config.parts import Section, Share

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


class ImagesConfig(Section):
    """What is accepted as an image. Everything else is ignored or quarantined with a reason, never dropped."""

    ignore: tuple[str, ...] = Field(
        IGNORED_NAMES,
        description="Names of files that are no images and no rejects: listed as `ignored`, counted, and not read. `*` stands for "
        "any letters, `?` for one, `[ab]` for one of some; upper and lower case are the same. A pattern is held against the file's name "
        "and each folder's below the day's (`.*`: hidden files, and all in hidden folders), one with `/` against the whole path "
        "below the day's folder (`*/`: the folder markers of S3 consoles). A list here takes the place of the default's.",
    )
    settle_seconds: float = Field(
        60,
        ge=0,
        le=3600,
        description="A file of a `file://` storage that was written to in the last so many seconds, and is no whole image, may still be "
        "growing: ingest looks again after this time, five times at most, then quarantines it as `still_growing`. 0 never waits.",
    )

    max_bytes: int = Field(
        20_000_000, gt=0, le=1_000_000_000, description="Files above this many bytes are quarantined."
    )
    max_pixels: int = Field(
        50_000_000, gt=0, le=1_000_000_000, description="Images of more pixels are quarantined before they are decoded."
    )
    min_side: int = Field(32, ge=1, le=10_000, description="Images with a side of fewer pixels are quarantined.")
    max_reject_share: Share = Field(
        0.2, description="A larger share of quarantined files, of all but the ignored ones, fails the day."
    )
    decode_mb: int = Field(
        1000,
        gt=0,
        le=1_000_000,
        description="Megabytes that the pictures being decoded may take together, over all threads of a task; one that needs more is decoded alone.",
    )
    damaged: Literal["quarantine", "accept"] = Field(
        "quarantine",
        description="What becomes of a JPEG that was cut short: quarantine, or accept what it holds, with a note in the manifest. Rows that are not there enter nothing: features, hash and the model's input are made of the upper rows alone. Everything else that is damaged is quarantined; a file that is whole but for its end mark is accepted with a note.",
    )
    max_missing_share: Share = Field(
        0.1, description="With `damaged: accept`: the largest share of a picture's rows that its file may lack."
    )
    on_empty_day: Literal["fail", "skip"] = Field(
        "fail", description="What a day without images does: fail, or skip with a notice."
    )
    shard_size: int = Field(
        20_000,
        ge=1,
        le=10_000_000,
        description="A day of more files is cut into shards of this many (rounded up to a multiple of 256), which tasks handle beside each other; see docs/scaling.md.",
    )

"""The section `images` of the monitor file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config_parts import Section, Share


class ImagesConfig(Section):
    """What is accepted as an image. Everything else is quarantined with a reason, never dropped."""

    max_bytes: int = Field(20_000_000, gt=0, description="Files above this many bytes are quarantined.")
    max_pixels: int = Field(
        50_000_000, gt=0, description="Images of more pixels are quarantined before they are decoded."
    )
    min_side: int = Field(32, ge=1, description="Images with a side of fewer pixels are quarantined.")
    decode_mb: int = Field(
        1000,
        gt=0,
        description="Megabytes that the pictures being decoded may take together, over all threads of a task; one that needs more is decoded alone.",
    )
    damaged: Literal["quarantine", "accept"] = Field(
        "quarantine",
        description="What becomes of a JPEG that was cut short: quarantine, or accept what it holds, with a note in the manifest. Rows that are not there enter nothing: features, hash and the model's input are made of the upper rows alone. Everything else that is damaged is quarantined; a file that is whole but for its end mark is accepted with a note.",
    )
    max_missing_share: Share = Field(
        0.1, description="With `damaged: accept`: the largest share of a picture's rows that its file may lack."
    )
    max_reject_share: Share = Field(0.2, description="A larger share of quarantined files fails the day.")
    on_empty_day: Literal["fail", "skip"] = Field(
        "fail", description="What a day without images does: fail, or skip with a notice."
    )
    shard_size: int = Field(
        20_000,
        ge=1,
        description="A day of more files is cut into shards of this many (rounded up to a multiple of 256), which tasks handle beside each other; see docs/scaling.md.",
    )

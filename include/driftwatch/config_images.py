"""The section `images` of the monitor file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from driftwatch.config_parts import Section, Share


class ImagesConfig(Section):
    """What is accepted as an image. Everything else is quarantined with a reason, never dropped."""

    max_bytes: int = Field(
        20_000_000, gt=0, le=1_000_000_000, description="Files above this many bytes are quarantined."
    )
    max_pixels: int = Field(
        50_000_000, gt=0, le=1_000_000_000, description="Images of more pixels are quarantined before they are decoded."
    )
    min_side: int = Field(32, ge=1, le=10_000, description="Images with a side of fewer pixels are quarantined.")
    max_reject_share: Share = Field(0.2, description="A larger share of quarantined files fails the day.")
    on_empty_day: Literal["fail", "skip"] = Field(
        "fail", description="What a day without images does: fail, or skip with a notice."
    )
    shard_size: int = Field(
        20_000,
        ge=1,
        le=10_000_000,
        description="A day of more files is cut into shards of this many (rounded up to a multiple of 256), which tasks handle beside each other; see docs/scaling.md.",
    )

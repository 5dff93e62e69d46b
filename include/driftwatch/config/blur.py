"""The section `labels.blur` of the monitor file: which parts of the images nobody is shown."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator

from driftwatch.config.logged import Column, at_day
from driftwatch.config.parts import Section
from driftwatch.config.segments import refuse_no_table

HIDE, SHOW = "hide", "show"


class BlurConfig(Section):
    """Boxes that come with the images, such as of faces and number plates, are covered in all that people see: annotators' copies, pages, report.
    The model, the profiles and the features get the images as they are. Driftwatch finds no faces: the boxes are a table beside the images."""

    path: str = Field(
        min_length=1,
        max_length=1000,
        description="The table of a day's boxes, below the storage's root: .csv, .tsv, .parquet, .jsonl or .ndjson, with .gz after it or not. `{day}` is the day as YYYY-MM-DD. A row is a box; an image may have several. A row without numbers says that nothing of its image is to be covered. **An image without a row is shown to nobody.**",
    )
    key: Column = Field(
        "key",
        description="The column with the image's path below the day's folder, or its whole address that ends with that.",
    )
    x: Column = Field(
        "x", description="The column with the box's left edge, in the picture as it is seen: after EXIF's rotation."
    )
    y: Column = Field("y", description="The column with its upper edge.")
    width: Column = Field("width", description="The column with its width, more than 0.")
    height: Column = Field("height", description="The column with its height, more than 0.")
    unit: Literal["pixels", "share"] = Field(
        "pixels", description="What the numbers are. share: of the picture's width and height, from 0 to 1."
    )
    method: Literal["blur", "black"] = Field(
        "blur", description="blur: each box becomes 4 x 4 colours that run into each other. black: a black box."
    )
    training: str = Field(
        HIDE,
        min_length=1,
        max_length=1000,
        description="The labelled originals, from which control tasks and the exam are taken, and which pages show for comparison. hide: nobody is shown them; then control_tasks must be 0 and exam null. show: nothing of them is to be covered. Or the path of their table of boxes, with the same columns; `key` is the path below training/images.",
    )

    @field_validator("path")
    @classmethod
    def _is_a_table(cls, value: str) -> str:
        return refuse_no_table(value)

    @field_validator("training")
    @classmethod
    def _is_a_choice_or_a_table(cls, value: str) -> str:
        return value if value in (HIDE, SHOW) else refuse_no_table(value)

    def path_of(self, day: date) -> str:
        """The key of one day's table."""
        return at_day(self.path, day)

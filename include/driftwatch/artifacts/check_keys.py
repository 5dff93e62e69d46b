"""Where people's answers lie that only check a table of the truth: beside the day's labels, which are the table's."""

from __future__ import annotations

from dataclasses import dataclass

from driftwatch.artifacts.day_keys import DayKeys


@dataclass(frozen=True)
class CheckKeys(DayKeys):
    """The keys of a day's artifacts; people's answers and labels have files of their own."""

    @property
    def assignments(self) -> str:
        return self.file("check_assignments.parquet")

    @property
    def labels(self) -> str:
        return self.file("check_labels.parquet")

    @property
    def annotators(self) -> str:
        return self.file("check_annotators.parquet")

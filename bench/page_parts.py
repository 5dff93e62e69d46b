"""The parts of a page that benchmarks write: the text between two marks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SCALING = Path(__file__).resolve().parents[1] / "docs" / "scaling.md"


class Part(NamedTuple):
    """`begin` and `end`: the lines around the text, without their line ends."""

    page: Path
    begin: str
    end: str

    def write(self, text: str) -> None:
        """Puts `text`, which ends with a line end, in place of what stands there."""
        before, begin, rest = self.page.read_text().partition(f"{self.begin}\n")
        _, end, after = rest.partition(f"{self.end}\n")
        if not begin or not end:
            raise SystemExit(f"{self.page} lacks the line {self.begin} or, after it, {self.end}: put them back")
        self.page.write_text(f"{before}{begin}{text}{end}{after}")

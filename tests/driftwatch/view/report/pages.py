"""A written report as a page: its tags and its visible text."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

from driftwatch.artifacts.keys import MonitorKeys

DAY = date(2026, 1, 5)


LAYOUT = MonitorKeys("demo")


VOID = {"meta", "img", "rect", "line", "circle", "path"}


class Page(HTMLParser):
    """Every tag with its attributes, the visible text, and whether tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))

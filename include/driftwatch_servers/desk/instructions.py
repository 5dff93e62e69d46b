"""Instructions as they may be shown: text, and the plainest of its structure."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_KEPT = {"p", "ul", "ol", "li", "b", "strong", "i", "em", "h1", "h2", "h3", "h4", "h5", "h6", "br"}
_DROPPED = {"script", "style", "iframe", "object", "template", "noscript"}  # with what is in them


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.kept: list[str] = []
        self._within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._within.append(tag)
        elif tag in _KEPT and not self._within:
            self.kept.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._within:
            self._within.remove(tag)
        elif tag in _KEPT - {"br"} and not self._within:
            self.kept.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.kept.append(escape(data))


def cleaned(html: str) -> str:
    """The HTML without attributes, links, scripts and anything else that could run or load something."""
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.kept)

"""Instructions in HTML, without what could run or load something in an annotator's browser."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_ALLOWED = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "kbd",
        "li",
        "ol",
        "p",
        "pre",
        "s",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "u",
        "ul",
    ]
)
_EMPTY = frozenset(("br", "hr", "img"))
# What is in these is no text for people.
_DROPPED = frozenset(
    [
        "script",
        "style",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "template",
        "noscript",
        "title",
        "textarea",
        "select",
    ]
)
_ATTRIBUTES = {"a": ("href", "title"), "img": ("src", "alt", "width", "height"), "td": ("colspan", "rowspan")}
_ADDRESSES = ("http://", "https://", "mailto:")
_PICTURES = ("http://", "https://", "data:image/png;", "data:image/jpeg;", "data:image/webp;")


def clean_html(html: str) -> str:
    """The HTML with the tags that shape a text, links and pictures. All else is left out: scripts, frames, forms, objects, handlers, styles.

    >>> clean_html('<p onclick="x()">Look at <b>ears</b>.<script>x()</script><form><input></form></p>')
    '<p>Look at <b>ears</b>.</p>'
    """
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return "".join(cleaner.parts) + "".join(f"</{tag}>" for tag in reversed(cleaner.open))


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.open: list[str] = []
        self._dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _DROPPED:
            self._dropping.append(tag)
        elif tag in _ALLOWED and not self._dropping:
            kept = "".join(f' {name}="{escape(value)}"' for name, value in attrs if value and _fits(tag, name, value))
            self.parts.append(f"<{tag}{kept}>")
            if tag not in _EMPTY:
                self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._dropping:
            del self._dropping[self._dropping.index(tag) :]
        elif tag in self.open and not self._dropping:
            while True:
                closed = self.open.pop()
                self.parts.append(f"</{closed}>")
                if closed == tag:
                    return

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)
            self.handle_endtag(tag)

    def handle_data(self, data: str) -> None:
        if not self._dropping:
            self.parts.append(escape(data, quote=False))


def _fits(tag: str, name: str, value: str) -> bool:
    if name not in _ATTRIBUTES.get(tag, ()):
        return False
    plain = "".join(value.split()).lower()
    return {"href": _ADDRESSES, "src": _PICTURES}.get(name) is None or plain.startswith(
        {"href": _ADDRESSES, "src": _PICTURES}[name]
    )

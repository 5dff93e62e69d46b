"""The commands of the pages: blocks of the kind `bash`, and code in a line that begins like a command."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from .pages import PAGES, name_of

_BLOCK = re.compile(r"^( *)```bash\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:make|driftwatch|python -m|airflow|docker[- ]compose) [^`\n]+)`")
_INDENTED = re.compile(
    r"^    ((?:make|driftwatch|python3?|airflow|docker|docker-compose|pip|uv|curl|export|[A-Z_]+=\S+) .*)$",
    re.MULTILINE,
)
_SETTING = re.compile(r"[A-Z_]+=")


@dataclass(frozen=True)
class Command:
    """One command of a page. `words`: without the settings of the environment before it, the comment behind it, and where its output goes."""

    page: str
    text: str

    @property
    def all_words(self) -> list[str]:
        return shlex.split(self.text, comments=True)

    @property
    def words(self) -> list[str]:
        words = self.all_words
        while words and _SETTING.match(words[0]):
            words = words[1:]
        return words[: words.index(">")] if ">" in words else words

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[str]:
    """The page's blocks of commands, as they are copied into a shell."""
    return [
        "\n".join(line.removeprefix(indent) for line in text.split("\n"))
        for indent, text in _BLOCK.findall(text_of(page))
    ]


def is_script(block: str) -> bool:
    """Whether the block is more than one command after the other."""
    return bool(re.search(r"^(for|while|if) ", block, re.MULTILINE))


def commands(page: Path) -> list[Command]:
    """The commands of the page's blocks, without those of scripts."""
    lines = [line for block in blocks(page) if not is_script(block) for line in block.replace("\\\n", " ").split("\n")]
    parts = [part.strip() for line in lines for part in re.split(r" && ", line)]
    return [Command(name_of(page), part) for part in parts if part and not part.startswith("#")]


def scripts() -> list[tuple[str, str]]:
    """Each script with its page."""
    return [(name_of(page), block) for page in PAGES for block in blocks(page) if is_script(block)]


def inline(page: Path) -> list[str]:
    """What begins like a command inside a sentence, without its placeholders."""
    return _INLINE.findall(_FENCED.sub("", text_of(page)))


def indented(page: Path) -> list[str]:
    """Commands that stand as mere indented code, and so would not be found."""
    return _INDENTED.findall(_FENCED.sub("", text_of(page)))


ALL = [command for page in PAGES for command in commands(page)]

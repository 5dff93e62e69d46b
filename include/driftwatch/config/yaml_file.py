"""Reads one YAML file as people mean it: only `true` and `false` are booleans, and only plain decimal numbers are numbers. Everything
else is text as it is written, such as dates, `on`, `no`, `010` and `1:30`. A key that stands twice is refused with both lines.

A small file cannot take much memory: its bytes, its depth, and what its aliases add up to are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import ConstructorError, SafeConstructor
from yaml.resolver import BaseResolver

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_VALUES = 50_000
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
# YAML 1.2's core schema, without what is more likely a name than a number: 010, 0x1f, +1.
_PLAIN = (
    (f"{_TAG}bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    (f"{_TAG}null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    (f"{_TAG}int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    (f"{_TAG}float", r"-?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-.0123456789"),
    (f"{_TAG}float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
    (_MERGE, r"<<", "<"),
)
_KINDS = ("bool", "null", "int", "float", "str", "seq", "map")
# No database, form or file name holds these.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


_Base: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class UnreadableFile(ValueError):
    """The file is not one that can be read as YAML; the message says why."""


class _Resolver(BaseResolver):
    """Which plain text is a number, a boolean or null."""


for tag, pattern, first in _PLAIN:
    _Resolver.add_implicit_resolver(tag, re.compile(rf"^(?:{pattern})$"), list(first))


class _Constructor(SafeConstructor):
    """Makes values of the kinds that JSON has, and no others. Errors name the line."""

    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in SafeConstructor.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in _KINDS
    }

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError) as error:  # `!!int abc`, a number of 5,000 digits
            kind = str(node.tag).removeprefix(_TAG)
            raise ConstructorError(
                None, None, f"{str(node.value)[:40]!r} cannot be read as {kind}", node.start_mark
            ) from error

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        if _UNFIT.search(value):
            raise ConstructorError(None, None, "a control character or half a sign is not allowed", node.start_mark)
        return value


class _Composer(Composer):
    """Builds the tree of values, and refuses it where it is too deep, too large, or has a key twice."""

    peek_event: Any  # the parser's
    check_event: Any
    depth: int
    sizes: dict[int, int]  # of each node, what its aliases stand for counted each time

    def compose_node(self, parent: Any, index: Any) -> Any:
        mark, alias = self.peek_event().start_mark, self.check_event(yaml.AliasEvent)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConstructorError(None, None, f"more than {MAX_DEPTH} levels are not allowed", mark)
        node: Any = super().compose_node(parent, index)
        self.depth -= 1
        if alias and id(node) not in self.sizes:
            raise ConstructorError(None, None, "a value cannot hold itself", mark)
        size = self.sizes[id(node)] if alias else 1 + sum(self.sizes[id(part)] for part in _parts(node))
        if size > MAX_VALUES:
            problem = f"more than {MAX_VALUES:,} values, aliases counted each time, are not allowed"
            raise ConstructorError(None, None, problem, mark)
        self.sizes[id(node)] = size
        return node

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            if key.tag != f"{_TAG}str":
                raise ConstructorError(None, None, "a key must be text: quote it", key.start_mark)
            if key.value in lines:
                problem = f"the key {key.value[:60]!r} stands there twice, first on line {lines[key.value]}"
                raise ConstructorError(None, None, problem, key.start_mark)
            lines[key.value] = key.start_mark.line + 1
        return node


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


class _Loader(_Composer, _Constructor, _Resolver, _Base):
    """libyaml's parser, which takes a fifth of the time, below the classes above."""

    def __init__(self, text: str) -> None:
        _Base.__init__(self, text)
        self.anchors: dict[str, yaml.Node] = {}
        self.depth = 0
        self.sizes: dict[int, int] = {}


class YamlFile:
    """A YAML file's `value`, and the line on which each part of it stands."""

    def __init__(self, path: Path) -> None:
        """Raises UnreadableFile, or FileNotFoundError where there is none."""
        loader = _Loader(_text(path))
        try:
            self._root = loader.get_single_node()
            self.value: Any = loader.construct_document(self._root) if self._root is not None else None
        except yaml.YAMLError as error:
            raise UnreadableFile(str(error).replace('in "<unicode string>", ', "on ")[:600]) from error
        finally:
            loader.dispose()

    def line(self, place: Sequence[str | int]) -> int | None:
        """The line of the value at these keys and numbers, as far as the file has them; None for the whole file."""
        node, found = self._root, None
        for step in place:
            if isinstance(node, yaml.MappingNode):
                # Merged keys come first, the mapping's own after them.
                known = [(key, part) for key, part in node.value if key.value == step]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                known = [(part, part) for part in node.value[step : step + 1]]
            else:
                break
            if not known:
                break
            found, node = known[-1]
        return found.start_mark.line + 1 if found is not None else None


def _text(path: Path) -> str:
    """The file's text, without a byte order mark."""
    if path.exists() and not path.is_file():
        raise UnreadableFile("it is no regular file")
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UnreadableFile(f"it has more than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"it is not UTF-8 text: {error.reason} at byte {error.start}") from error

"""Writes the reference of the monitor file from the models that read it.

python -m driftwatch.config.docs > docs/configuration.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from driftwatch.config import MonitorConfig

_INTRODUCTION = """\
# The monitor file

One YAML file for each watched classifier, in `include/monitors/` or in the folder that `DRIFTWATCH_MONITORS` names. Each file
gives two DAGs, `<name>_monitoring` and `<name>_retraining`. A file that breaks a rule below is refused: the message has its name,
the field, and what is allowed. The other monitors go on. `include/monitors/cats_vs_dogs.yaml` is an example.

`${NAME}` and `${NAME:-default}` are replaced by the environment variable if the table says so; in other fields they are refused.

Only `true` and `false` are switches: `yes`, `no` and `on` are text, and so are `010` and `1:30`. A section or list whose lines are
all commented out has its defaults. A key may stand only once. Top-level keys that begin with `x-` hold YAML anchors that the file
shares (`<<: *name`).

The file `execution.yaml` in the same folder is no monitor: it has the section `execution` for all of them (docs/operate/execution.md).

This page is made from the code: `python -m driftwatch.config.docs > docs/configuration.md`.
"""
_NAMES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    date: "date, YYYY-MM-DD",
    Any: "any value",
}


def settings_page() -> str:
    """The page, in Markdown: a part for each section of the monitor file, with one row for each field."""
    return "\n".join([_INTRODUCTION, *_parts(MonitorConfig, "")])


def _parts(model: type[BaseModel], path: str) -> Iterator[str]:
    """The model's table, then those of the sections inside it."""
    fields = model.model_fields
    yield f"## `{path}`\n" if path else "## Top level\n"
    yield f"{_first_paragraph(model)}\n"
    yield "| field | allowed | default | meaning |\n|---|---|---|---|"
    for name, field in fields.items():
        inner = _section(field.annotation)
        meaning = field.description or (_first_paragraph(inner) if inner else "")
        if inner:
            meaning += f" See [`{_heading(path, name, field)}`](#{_anchor(_heading(path, name, field))})."
        yield f"| `{name}` | {_cell(_allowed(field))} | {_cell(_default(field))} | {_cell(meaning)} |"
    yield ""
    for name, field in fields.items():
        inner = _section(field.annotation)
        if inner:
            yield from _parts(inner, _heading(path, name, field))


def _heading(path: str, name: str, field: FieldInfo) -> str:
    kind = get_origin(field.annotation)
    many = "[]" if kind is tuple else ".<name>" if kind is dict else ""
    return f"{path}.{name}".lstrip(".") + many


def _anchor(heading: str) -> str:
    return "".join(sign for sign in heading.lower() if sign.isalnum() or sign in "_-")


def _section(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds, alone or in a list."""
    candidates = [annotation, *get_args(annotation)]
    return next((item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)), None)


def _allowed(field: FieldInfo) -> str:
    return _type(field.annotation, list(field.metadata))


def _type(annotation: Any, limits: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0], [*limits, *_unpacked(arguments[1:])])
    if origin in (Union, UnionType):
        kinds = [_type(kind, limits) for kind in arguments if kind is not NoneType]
        return " or ".join([*kinds, *(["null"] if NoneType in arguments else [])])
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        shortest = next((limit.min_length for limit in limits if isinstance(limit, annotated_types.MinLen)), 0)
        return f"list of {_type(arguments[0], [])}" + (f", at least {shortest}" if shortest else "")
    if _section(annotation) and origin is None:
        return "section"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "mapping"
    bounds = [text for limit in limits for text in _bound(limit)]
    return ", ".join([_NAMES[annotation], *bounds])


def _unpacked(metadata: tuple[Any, ...]) -> list[Any]:
    return [limit for item in metadata for limit in (item.metadata if isinstance(item, FieldInfo) else [item])]


def _bound(limit: Any) -> Iterator[str]:
    for sign, attribute in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt")):
        if getattr(limit, attribute, None) is not None:
            yield f"{sign} {getattr(limit, attribute)}"
    if getattr(limit, "pattern", None):
        yield f"matching `{limit.pattern}`"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return "its fields’ own"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(settings_page())

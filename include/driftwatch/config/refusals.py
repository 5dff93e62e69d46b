"""What a person is told of a monitor file that is refused: each bad field by its name in the file, its line, and what is allowed there."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from driftwatch.config.storage import HAS_LOGIN
from driftwatch.config.yaml_file import YamlFile

_MOST_PROBLEMS, _MOST_KEYS = 20, 12
_bounded = reprlib.Repr()
_bounded.maxstring = _bounded.maxother = _bounded.maxlong = 80
_bounded.maxlevel = 3
_Place = tuple[str | int, ...]


def shown(name: object) -> str:
    """A name for people and databases: what cannot be printed is escaped."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in str(name))


def refused_settings(model: type[BaseModel], file: YamlFile, error: ValidationError) -> str:
    """The count of refused settings, and a line for each. `model` is what the whole file is read as."""
    by_place: dict[_Place, list[ErrorDetails]] = {}
    of_kinds: set[_Place] = set()  # the places where several kinds of values are allowed
    for problem in error.errors(include_url=False):
        place = _in_the_file(model, problem, file.value)
        by_place.setdefault(place, []).append(problem)
        if len(place) < len(problem["loc"]):
            of_kinds.add(place)
    # Where [0, 224] is given for a number or a list of two, what is wrong in the list says more than that it is no number. And a list is
    # only called too short for want of those that are wrong.
    told = {
        place: problems
        for place, problems in by_place.items()
        if not (place in of_kinds or problems[0]["type"] == "too_short")
        or not any(other[: len(place)] == place for other in by_place if other != place)
    }
    lines = [_line(model, file, place, problems) for place, problems in [*told.items()][:_MOST_PROBLEMS]]
    if len(told) > _MOST_PROBLEMS:
        lines.append(f"  and {len(told) - _MOST_PROBLEMS} more")
    return f"{len(told)} setting(s) refused:\n" + "\n".join(lines)


def _in_the_file(model: type[BaseModel], problem: ErrorDetails, value: Any) -> _Place:
    """The problem's place without the names of the kinds that were tried: `model.input.size`, not `model.input.size.constrained-int`."""
    place: _Place = ()
    steps = problem["loc"]
    for step, after in zip(steps, (*steps, None)[1:], strict=True):
        known = isinstance(value, dict) and (step in value or after is None or after not in value)
        known = known or value is None or isinstance(step, int) or _field(model, (*place, step)) is not None
        if known:
            place = (*place, step)
            value = _part(value, step)
    return place


def _part(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    return value[step] if isinstance(value, list) and isinstance(step, int) and step < len(value) else None


def _line(model: type[BaseModel], file: YamlFile, place: _Place, problems: Sequence[ErrorDetails]) -> str:
    field = ".".join(shown(str(part)[:80]) for part in place) or "(whole file)"
    told = "; or ".join(dict.fromkeys(_allowed(model, place, problem) for problem in problems))
    kind = problems[0]["type"]
    # The arguments of a notifier may hold a secret, and the refusal is told, logged and shown.
    if kind not in ("extra_forbidden", "missing", HAS_LOGIN) and (place[:1] != ("notifiers",) or "on" in place):
        told += f" (got {_bounded.repr(problems[0]['input'])})"
    line = file.line(place) if kind != "missing" else None
    return f"  {field}: {told}" + (f", line {line}" if line else "")


def _allowed(model: type[BaseModel], place: _Place, problem: ErrorDetails) -> str:
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(model, place)
    if kind == "tuple_type":
        return "must be a list, like [a, b]"
    if kind == "too_short":
        return f"must have at least {context['min_length']} entries, not {context['actual_length']}"
    if kind == "string_pattern_mismatch":
        field = _field(model, place)
        meaning = f"{field.description} " if field and field.description else ""
        return f"{meaning}It must match the pattern {context['pattern']}"
    return problem["msg"].removeprefix("Value error, ")


def _unknown_key(model: type[BaseModel], place: _Place) -> str:
    """Which key was meant: one of that name elsewhere, as where lines are indented wrongly, or one that is spelled alike."""
    name, here = str(place[-1]), _section_at(model, place[:-1])
    near = get_close_matches(name, here.model_fields, n=1)
    elsewhere = [path for path in _paths(model) if path.rpartition(".")[2] == name]
    if near and not elsewhere:
        return f"unknown key; {near[0]} may be meant"
    if elsewhere:
        return f"unknown key here; there is {' and '.join(elsewhere[:3])}: look at how far its line is indented"
    keys = [*here.model_fields]
    named = ", ".join(keys[:_MOST_KEYS]) + (", …" if len(keys) > _MOST_KEYS else "")
    return f"unknown key; allowed here are {named} (docs/configuration.md)"


def _field(model: type[BaseModel], place: _Place) -> FieldInfo | None:
    return _section_at(model, place[:-1]).model_fields.get(str(place[-1])) if place else None


def _section_at(model: type[BaseModel], place: _Place) -> type[BaseModel]:
    """The section that stands at this place. Keys of mappings and numbers of lists lead to no other."""
    for step in place:
        field = model.model_fields.get("labels" if step == "annotation" else str(step))
        model = next(_sections(field.annotation), model) if field else model
    return model


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _sections(inner)


@cache
def _paths(model: type[BaseModel], before: str = "") -> tuple[str, ...]:
    """Every setting's name with its sections, such as performance.floor. Those in lists, under free names and in sections that may be null are left out."""
    found = []
    for name, field in model.model_fields.items():
        found.append(before + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _paths(field.annotation, f"{before}{name}.")
    return tuple(found)

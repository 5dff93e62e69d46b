"""What the sections of the monitor file are made of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

LARGEST_SEED = 2**31 - 1
LONGEST_CLASS = 200
# labels.parquet counts the votes for each class in a column `votes.<class>`, and the other votes in this one's.
RESERVED_CLASS = "unclear"
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*(:-|\})")
_NO_SIGN = ("Cc", "Cs", "Zl", "Zp")  # control characters, halves of a sign, line and paragraph ends


def _as_day(value: Any) -> date:
    """A number would be read as seconds since 1970."""
    text = value.isoformat() if isinstance(value, date) else value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError("a day is written as YYYY-MM-DD")
    day = date.fromisoformat(text)
    if not 2000 <= day.year < 2100:
        raise ValueError("days of 2000 to 2099 are allowed")
    return day


Fraction = Annotated[float, Field(ge=0, le=1)]
OpenFraction = Annotated[float, Field(gt=0, lt=1)]
Day = Annotated[date, BeforeValidator(_as_day)]


class Section(BaseModel):
    """A part of the monitor file: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)
    expanded: ClassVar[frozenset[str]] = frozenset()  # the fields in which `${NAME}` is replaced

    @model_validator(mode="before")
    @classmethod
    def _empty_is_left_out(cls, value: Any) -> Any:
        """A section or list whose lines are all commented out is null in YAML; it has its defaults."""
        if not isinstance(value, dict):
            return value
        return {name: part for name, part in value.items() if part is not None or not cls._holds_more(name)}

    @classmethod
    def _holds_more(cls, name: str) -> bool:
        kind = cls.model_fields[name].annotation if name in cls.model_fields else None
        return get_origin(kind) in (tuple, dict) or _is_section(kind)

    @field_validator("*", mode="before")
    @classmethod
    def _as_meant(cls, value: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        kind = cls.model_fields[name].annotation
        if isinstance(value, bool) and bool not in (kind, *get_args(kind)):
            raise ValueError("true and false are for switches: put text in quotes")
        sections = any(map(_is_section, (kind, *get_args(kind))))  # which look at their own fields
        if not sections and name not in cls.expanded and (found := _variable_in(value)):
            raise ValueError(f"{found!r} would stay as it is: environment variables are replaced in storage.uri alone")
        return value


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _variable_in(value: Any) -> str | None:
    """The first text with a `${NAME}` in it, at any depth of lists and mappings; None if there is none."""
    if isinstance(value, str):
        return value[:80] if _VARIABLE.search(value) else None
    parts = [*value.values()] if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    return next((found for part in parts if (found := _variable_in(part))), None)


def class_names(value: Any) -> Any:
    """Classes as text, whole numbers too. Raises ValueError for one that no folder, form or column can hold."""
    if not isinstance(value, list | tuple):
        return value
    names = [str(item) if type(item) is int else item for item in value]
    for name in names:
        if not isinstance(name, str):
            kind = "null" if name is None else type(name).__name__
            raise ValueError(f"{name!r:.80} is a {kind}, and a class is text: put it in quotes")
        if problem := _unfit(name):
            raise ValueError(f"{name!r:.80} {problem}")
    return names


def _unfit(name: str) -> str | None:
    """Why the name cannot be a class; None if it can."""
    if not name.strip():
        return "is empty: class names must be distinct and not empty"
    if name != name.strip():
        return "begins or ends with a space: take it away"
    if any(unicodedata.category(sign) in _NO_SIGN for sign in name):
        return "has a control character or a line end: take it out"
    if "/" in name or "\\" in name or name.startswith("."):
        return "can be no folder of <class>/<file>: take out every / and \\, and a dot at its beginning"
    if len(name.encode()) > LONGEST_CLASS:
        return f"is longer than {LONGEST_CLASS} bytes: shorten it"
    if folded(name) == RESERVED_CLASS:
        return "is taken: it counts the answers that are no class (labels.unclear_answer)"
    return None


def folded(name: str) -> str:
    """The name without its case and its way of writing accents: equal for two names that a person cannot tell apart."""
    return unicodedata.normalize("NFC", name).casefold()


def refuse_alike(names: Sequence[str]) -> None:
    """Raises ValueError if two names are the same for a file system or a person."""
    known: dict[str, str] = {}
    for name in names:
        if other := known.get(folded(name)):
            raise ValueError(f"{other!r} and {name!r}: class names must be distinct, in more than upper and lower case")
        known[folded(name)] = name

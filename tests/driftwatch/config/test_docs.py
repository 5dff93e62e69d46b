"""docs/configuration.md says what the code says."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import BaseModel

from driftwatch.config import MonitorConfig
from driftwatch.config.docs import _section, settings_page


def test_the_page_is_what_the_models_give(root):
    written = (root / "docs/configuration.md").read_text(encoding="utf-8")
    assert written == settings_page(), "run: python -m driftwatch.config.docs > docs/configuration.md"


def fields(model: type[BaseModel], path: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{path}{name}"
        inner = _section(field.annotation)
        if inner:
            kind = str(field.annotation).partition("[")[0]
            many = {"tuple": "[]", "dict": ".<name>"}.get(kind, "")
            yield from fields(inner, f"{path}{name}{many}.")


def test_every_field_has_its_row_under_its_section_and_says_what_it_means():
    rows = {}
    section = ""
    for line in settings_page().splitlines():
        if heading := re.match(r"## `(.+)`", line):
            section = f"{heading[1]}."
        elif row := re.match(r"\| `(\w+)` \| (.+) \| (.+) \| (.*) \|$", line):
            rows[section + row[1]] = row
    assert set(rows) == set(fields(MonitorConfig))
    assert [name for name, row in rows.items() if len(row[4]) < 8] == []


def test_limits_choices_and_defaults_are_shown():
    page = settings_page()
    for row in (
        "| `overlap` | whole number, ≥ 1, ≤ 50 | `3` |",
        '| `on_empty_day` | `fail`, `skip` | `"fail"` |',
        "| `classes` | list of text, at least 2 | *required* |",
        "| `end_date` | date, YYYY-MM-DD or null | `null` |",
        "| `false_alarm_rate` | number, > 0, < 1 | `0.01` |",
    ):
        assert row in page

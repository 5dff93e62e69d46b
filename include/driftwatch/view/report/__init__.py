"""What people read: the day's report, and the text of the alerts."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore

if TYPE_CHECKING:
    from jinja2 import Environment


def write_report(store: MonitorStore, day: date) -> str:
    """Writes the day's report.html from whatever artifacts exist so far, and returns its key.

    One file without outside resources, for screen (light and dark) and print; the same artifacts give the same bytes. Raises
    MissingArtifact for a day that was never taken in.
    """
    from driftwatch.view.pictures import examples
    from driftwatch.view.report.facts import gather

    facts = gather(store, day)
    key = store.keys.day(day).report
    store.storage.write_bytes(key, render(facts, examples(store, facts)).encode())
    return key


def render(facts: Any, pictures: dict[str, list[dict[str, Any]]]) -> str:
    """The report's HTML. `facts`: `facts.gather`; `pictures`: `pictures.examples`. Everything from outside is escaped."""
    return environment().get_template("report.html.j2").render(values(facts, pictures))


def values(facts: Any, pictures: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the report's template shows."""
    from driftwatch.view.report import accuracy, drift, sections

    return {
        "facts": facts,
        "pictures": pictures,
        "summary": sections.summary(facts),
        "files": sections.files(facts),
        "kinds": drift.kinds(facts.drift, facts.content_drift),
        "tested": drift.sample(facts.drift) if facts.drift else "",
        "features": sections.features(facts),
        "over_time": sections.over_time(facts),
        "history": sections.history(facts),
        "performance": sections.performance(facts),
        "ways": accuracy.ways(facts),
        "trust": accuracy.trust(facts),
        "late": accuracy.late(facts),
        "changed": accuracy.changed(facts),
        "labelling": sections.labelling(facts),
        "model": sections.model(facts),
    }


TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=2)
def environment(*more: Path) -> Environment:
    """Jinja for the report's templates, and for those of the folders `more`, which may extend them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from driftwatch.accuracy.policy import percent
    from driftwatch.view.words import one_line

    made = Environment(
        loader=FileSystemLoader([*more, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(percent=percent, shown=one_line)
    return made

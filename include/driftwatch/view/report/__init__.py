"""The day's report: one file, made from whatever artifacts exist so far."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import DayStore

if TYPE_CHECKING:
    from jinja2 import Environment

    from driftwatch.view.map_chart import MapChart
    from driftwatch.view.pair_pictures import ShownPair
    from driftwatch.view.pictures import Picture
    from driftwatch.view.report.facts import DayFacts


def write_report(day: DayStore, pages: str = "") -> str:
    """Writes the day's report.html from whatever artifacts exist so far, and returns its key. `pages`: the whole address of the monitor pages,
    to which its next steps link; empty where it is not known.

    One file without outside resources, for screen (light and dark) and print; the same artifacts give the same bytes. Raises
    MissingArtifact for a day that was never taken in.
    """
    from driftwatch.view import map_chart
    from driftwatch.view.pair_pictures import in_report
    from driftwatch.view.pictures import chosen, examples
    from driftwatch.view.report.facts import gather, if_readable

    facts = gather(day)
    no_pictures: dict[str, list[Picture]] = {group: [] for group in (*chosen(facts), "reference")}
    facts, still_map = if_readable(facts, lambda: map_chart.in_report(day, facts.content_drift))
    facts, pictures = if_readable(facts, lambda: examples(day, facts))
    facts, pairs = if_readable(facts, lambda: in_report(day, facts.drift))
    page = report_page(facts, pictures or no_pictures, pairs or (), pages, still_map)
    day.storage.write_bytes(day.keys.report, page.encode())
    return day.keys.report


def report_page(
    facts: DayFacts,
    pictures: dict[str, list[Picture]],
    pairs: Sequence[ShownPair] = (),
    pages: str = "",
    still_map: MapChart | None = None,
) -> str:
    """The report's HTML. `facts`: `facts.gather`; `pictures`: `pictures.examples`; `pairs`: `pair_pictures.in_report`; `pages`: see
    `write_report`; `still_map`: `map_chart.in_report`. Everything from outside is escaped."""
    shown = values(facts, pictures, pairs, pages) | {"still_map": still_map}
    return environment().get_template("report.html.j2").render(shown)


def values(
    facts: DayFacts, pictures: dict[str, list[Picture]], pairs: Sequence[ShownPair] = (), pages: str = ""
) -> dict[str, Any]:
    """What the report's template shows; Jinja takes it by name. `pages`: see `write_report`."""
    from driftwatch.view.drift_words import kinds, mute_lines, sample
    from driftwatch.view.episodes import shown
    from driftwatch.view.report import accuracy_section, files_section, labelling_section, sections
    from driftwatch.view.segment_accuracy import accuracy_texts, segment_rows, slice_lines
    from driftwatch.view.segments import tables
    from driftwatch.view.states import usual
    from driftwatch.view.what_now import of_day

    return {
        "facts": facts,
        "now": of_day(facts.as_day, facts.retraining, facts.config, facts.before),
        "pictures": pictures,
        "pairs": pairs,
        "pages": pages,
        "still_map": None,  # the pages have one that opens its images
        "summary": sections.summary(facts),
        "episodes": shown(facts.episodes),
        "files": files_section.files(facts),
        "kinds": kinds(facts.drift, facts.content_drift),
        "tested": sample(facts.drift) if facts.drift else "",
        "usual": usual(facts.drift) if facts.drift else "",
        "muted": mute_lines(facts.drift) if facts.drift else [],
        "features": sections.features(facts),
        "segments": tables(facts.drift, facts.content_drift, accuracy_texts(facts.performance)),
        "over_time": sections.over_time(facts),
        "history": sections.history(facts),
        "versions": sections.by_version(facts),
        "performance": sections.performance(facts),
        "segment_accuracy": segment_rows(facts.performance),
        "slices": slice_lines(facts.performance),
        "ways": accuracy_section.ways(facts),
        "trust": accuracy_section.trust(facts),
        "late": accuracy_section.late(facts),
        "changed": accuracy_section.changed(facts),
        "labelling": labelling_section.labelling(facts),
        "undecided": labelling_section.undecided(facts, len(pictures.get("undecided", ()))),
        "model": sections.model(facts),
    }


TEMPLATES = Path(__file__).parent / "templates"


@lru_cache(maxsize=2)
def environment(*more: Path) -> Environment:
    """Jinja for the report's templates, and for those of the folders `more`, which may extend them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from driftwatch.view.numbers import percent
    from driftwatch.view.words import in_address, one_line

    made = Environment(
        loader=FileSystemLoader([*more, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(percent=percent, shown=one_line, in_address=in_address)
    return made

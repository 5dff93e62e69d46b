"""Renders the pages. Everything that comes from outside (file names, classes, reasons) is escaped by Jinja."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.timezone import utcnow

from driftwatch.accuracy.policy import interval, p_text
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import DamagedArtifact
from driftwatch.publish.outbox import Outbox, recipient
from driftwatch.view.days import Day
from driftwatch.view.report import TEMPLATES, environment, values
from driftwatch.view.words import accuracy_text, count, direction, feature_name
from driftwatch_airflow.paths import URL_PREFIX, dag_path
from driftwatch_airflow.run_days import whole_from

if TYPE_CHECKING:
    from fastapi import Request
    from jinja2 import Environment

    from driftwatch.view.report.facts import DayFacts
    from driftwatch_airflow.ui.airflow_state import DayInAirflow
    from driftwatch_airflow.ui.monitors import Site

REPORT_CSS = TEMPLATES / "report.css"
_SYMBOLS = {"bad": "✕", "warn": "~", "unsure": "?", "good": "·", "waiting": "…"}


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(Path(__file__).parent / "templates")
    made.filters.update(interval=interval, p_text=p_text, accuracy=accuracy_text, moment=_moment)
    made.globals.update(count=count, symbols=_SYMBOLS, dag_url=dag_path)
    return made


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "–"


def render(request: Request, template: str, **given: Any) -> str:
    """A page. Addresses begin with the prefix under which Airflow serves the application."""
    base = request.scope.get("root_path") or URL_PREFIX
    return _environment().get_template(template).render(base=base, root=base.removesuffix(URL_PREFIX), **given)


def each_alone(
    draw: Callable[[list[Any], list[tuple[str, str]]], str], rows: list[Any], name: Callable[[Any], str]
) -> str:
    """`draw(rows, failed)`; where a row cannot be drawn it goes to `failed`, with its name and why, and the others are drawn."""
    try:
        return draw(rows, [])
    except Exception as error:
        if not rows:
            raise
        drawn, failed = [], []
        for row in rows:
            try:
                draw([row], [])
                drawn.append(row)
            except Exception as problem:
                failed.append((name(row), f"its artifacts have not the fields that this page shows: {problem}"))
        if not failed:
            raise error
        return draw(drawn, failed)


def error(request: Request, status: int, text: str) -> str:
    """The page of a refusal or a crash."""
    titles = {
        401: "Log in first",
        403: "Not for your role",
        404: "Not found",
        503: "This cannot be read",
        500: "This page cannot be shown",
    }
    return render(
        request,
        "error.html.j2",
        status=status,
        title=titles.get(status, "That cannot be"),
        text=text,
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
    )


def feature_list(last: Day | None) -> list[dict[str, Any]]:
    """The features of the newest tested day, the strongest first, each with its verdict and effect."""
    rows = []
    for column, feature in (last.drift["features"] if last and last.drift else {}).items():
        moved, tested = feature.get("verdict") == "drifted", feature.get("p_value") is not None
        rows.append(
            {
                "column": column,
                "name": feature_name(column),
                "tone": "warn" if moved else "good" if tested else "waiting",
                "verdict": "moved" if moved else "as usual" if tested else "not tested",
                "looks": direction(feature) if moved else "",
            }
        )
    return rows


def day(request: Request, site: Site, when: date, names: list[date], known: DayInAirflow) -> str:
    """The day's page: the report's own sections, with links around them. Raises MissingArtifact for a day not taken in.

    `names`: the days that the storage has; `known`: the artifacts may not have heard yet of a failure that Airflow knows.
    """
    from driftwatch.view.report.facts import gather

    storage = site.artifacts.storage
    facts = gather(MonitorStore(storage, site.config), when)
    progress, uploads, damaged = _progress_and_uploads(site, when)
    alerts, unread = _alerts(site, when)
    facts = replace(facts, failure=known.failure, problems=(*facts.problems, *damaged, *unread))
    whole = whole_from(when, site.config.schedule)
    return render(
        request,
        "day.html.j2",
        site=site,
        **values(facts, _pictures(request, site, facts)),
        runs=known.runs,
        links=known.links,
        about=known.about,
        open_until=whole if whole > utcnow() else None,
        before=max((name for name in names if name < when), default=None),
        after=min((name for name in names if name > when), default=None),
        has_report=storage.exists(site.layout.day(when).report),
        published=uploads["uploads"] if uploads else [],
        alerts=alerts,
        labelled=progress,
    )


def _progress_and_uploads(site: Site, when: date) -> tuple[Any, Any, list[str]]:
    """How far labelling is and what was published, each None where there is none; and what of it cannot be read."""
    from driftwatch.view.days import read_progress, read_uploads

    keys = site.layout.day(when)
    found = site.artifacts.get_many([(keys.annotation_progress, read_progress), (keys.published, read_uploads)])
    progress, uploads = (None if isinstance(one, Exception) else one for one in found)
    return progress, uploads, [str(one) for one in found if isinstance(one, Exception)]


def _pictures(request: Request, site: Site, facts: DayFacts) -> dict[str, list[dict[str, Any]]]:
    """The addresses of the pictures that the day's page shows, by their group; those of the reference are not among them."""
    from driftwatch.view.pictures import chosen

    file_names = {row.image_id: file_name(row.key) for row in facts.accepted.itertuples()}
    base = request.scope.get("root_path") or URL_PREFIX
    here = f"{base}/m/{site.config.name}/days/{facts.day}"
    pictures: dict[str, list[dict[str, Any]]] = {"reference": []}
    for group, images in chosen(facts).items():
        pictures[group] = [
            {"src": f"{here}/images/{image_id}.jpg", "name": file_names.get(image_id, image_id), "note": note}
            for image_id, note in images
        ]
    return pictures


def _alerts(site: Site, when: date) -> tuple[list[dict[str, Any]], list[str]]:
    """What the day had to tell, and how many of the notifiers that take it were told; and what of it cannot be read."""
    outbox = Outbox(site.artifacts.storage, site.layout.day(when).outbox)
    try:
        alerts = outbox.alerts()
    except DamagedArtifact as error:
        return [], [str(error)]
    found = []
    for alert in alerts:
        takers = [recipient(entry) for entry in site.config.notifiers if alert.kind in entry.on]
        told = sum(outbox.is_told(alert, to) for to in takers)
        found.append({"kind": alert.kind, "subject": alert.subject, "told": told, "of": len(takers)})
    return found, []


def as_json(value: Any) -> str:
    """JSON for the charts: six digits are more than a pixel shows."""
    return json.dumps(_rounded(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return value

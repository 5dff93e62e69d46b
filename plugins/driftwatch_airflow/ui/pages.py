"""Renders the pages. Jinja escapes everything that comes from outside: file names, classes, reasons."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk.timezone import utcnow

from driftwatch.artifacts.annotation import AnnotationProgress
from driftwatch.artifacts.day_map import DayMap
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.publishing import Upload, UploadLedger
from driftwatch.errors import DamagedArtifact
from driftwatch.publish.outbox import Outbox, recipient
from driftwatch.view.report import environment, values
from driftwatch.view.tones import SYMBOLS
from driftwatch.view.words import count
from driftwatch_airflow.paths import URL_PREFIX, dag_path
from driftwatch_airflow.run_days import whole_from
from driftwatch_airflow.ui import static_files
from driftwatch_airflow.ui.addresses import address, image_address, pairs_of_day

if TYPE_CHECKING:
    from fastapi import Request
    from jinja2 import Environment

    from driftwatch.view.pictures import Picture
    from driftwatch.view.report.facts import DayFacts
    from driftwatch_airflow.ui.airflow_state import DayInAirflow
    from driftwatch_airflow.ui.monitors import Site


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = environment(Path(__file__).parent / "templates")
    made.filters.update(moment=_moment)
    made.globals.update(count=count, symbols=SYMBOLS, dag_url=dag_path, static=static_files.folder)
    return made


def _moment(value: datetime | None) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC" if value else "–"


def page(request: Request, template: str, **given: Any) -> str:
    """A page. Addresses begin with the prefix under which Airflow serves the application."""
    base = address(request)
    return _environment().get_template(template).render(base=base, root=base.removesuffix(URL_PREFIX), **given)


def error(request: Request, status: int, text: str) -> str:
    """The page of a refusal or a crash."""
    titles = {
        401: "Log in first",
        403: "Not for your role",
        404: "Not found",
        503: "This cannot be read",
        500: "This page cannot be shown",
    }
    return page(
        request,
        "error.html.j2",
        status=status,
        title=titles.get(status, "That is not possible"),
        text=text,
        here=_here(request),
    )


def _here(request: Request) -> str:
    """The page that was asked for, without the host. Airflow's login leads back to it."""
    path = request.url.path
    base = address(request)
    if not path.startswith(f"{base}/"):  # a proxy took the path away below which Airflow is served
        path = base.removesuffix(URL_PREFIX) + path
    return path + (f"?{request.url.query}" if request.url.query else "")


def day(request: Request, site: Site, when: date, names: list[date], known: DayInAirflow) -> str:
    """The day's page: the report's own sections, with links around them. Raises MissingArtifact for a day not taken in.

    `names`: the days that the storage has. `known`: what Airflow knows of the day. Its failure may not be in the artifacts yet.
    """
    from driftwatch.view.report.facts import gather, if_readable
    from driftwatch.view.states import usual_buttons

    facts = gather(site.artifacts.store.day(when))
    progress, uploads, damaged = _progress_and_uploads(site, when)
    alerts, unread = _alerts(site, when)
    facts = replace(facts, failure=known.failure, problems=(*facts.problems, *damaged, *unread))
    facts, pairs = if_readable(facts, lambda: pairs_of_day(request, site, facts))
    whole, base = whole_from(when, site.config.schedule), address(request)
    return page(
        request,
        "day.html.j2",
        site=site,
        **values(facts, _pictures(request, site, facts), pairs or (), base),
        segment_base=f"{base}/m/{site.config.name}/segments",
        runs=known.runs,
        links=known.links,
        about=known.about,
        open_until=whole if whole > utcnow() else None,
        before=max((name for name in names if name < when), default=None),
        after=min((name for name in names if name > when), default=None),
        has_report=site.artifacts.storage.exists(site.artifacts.keys.day(when).report),
        has_map=site.artifacts.store.day(when).has(DayMap),
        published=uploads,
        alerts=alerts,
        labelled=progress,
        usual_buttons=usual_buttons(facts.drift) if facts.drift else [],
    )


def _progress_and_uploads(site: Site, when: date) -> tuple[AnnotationProgress | None, tuple[Upload, ...], list[str]]:
    """How far labelling is (None before there is any), what was published, and which files of both cannot be read."""
    from driftwatch.view.artifacts import reader

    keys, artifacts = site.artifacts.keys.day(when), site.artifacts
    progress = artifacts.look(keys.annotation_progress, reader(AnnotationProgress))
    ledger = artifacts.look(keys.published, reader(UploadLedger))
    damaged = [str(found.problem) for found in (progress, ledger) if found.problem]
    return progress.value, ledger.value.uploads if ledger.value else (), damaged


def _pictures(request: Request, site: Site, facts: DayFacts) -> dict[str, list[Picture]]:
    """The addresses of the pictures that the day's page shows, by group. It shows none of the reference."""
    from driftwatch.view.pictures import Picture, chosen

    names = {row.image_id: file_name(row.key) for row in facts.accepted.itertuples()}
    here = f"{address(request)}/m/{site.config.name}/days/{facts.day}"
    image = image_address(request, site, facts.day.isoformat())
    pictures: dict[str, list[Picture]] = {"reference": []}
    for group, images in chosen(facts).items():
        pictures[group] = [
            Picture(f"{here}/images/{image_id}.jpg", names.get(image_id, image_id), note, f"{image}{image_id}/")
            for image_id, note in images
        ]
    return pictures


@dataclass(frozen=True)
class ShownAlert:
    """What the day had to tell. `of` notifiers take it, and `told` of them have got it."""

    kind: str
    subject: str
    told: int
    of: int


def _alerts(site: Site, when: date) -> tuple[list[ShownAlert], list[str]]:
    """The day's alerts, and which of them cannot be read."""
    outbox = Outbox(site.artifacts.storage, site.artifacts.keys.day(when).outbox)
    try:
        alerts = outbox.alerts()
    except DamagedArtifact as error:
        return [], [str(error)]
    found = []
    for alert in alerts:
        takers = [recipient(entry) for entry in site.config.notifiers if alert.kind in entry.on]
        told = sum(outbox.is_told(alert, to) for to in takers)
        found.append(ShownAlert(alert.kind, alert.subject, told, len(takers)))
    return found, []


def as_json(value: Any) -> str:
    """A value of `driftwatch.view` as JSON for the charts. Numbers have six digits: a pixel shows less."""
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.6g}") if math.isfinite(value) else None
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value

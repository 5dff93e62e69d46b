"""The addresses of images, and of the pictures that a day's page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch_airflow.paths import URL_PREFIX

if TYPE_CHECKING:
    from fastapi import Request

    from driftwatch.view.evidence import Shown
    from driftwatch.view.pair_pictures import ShownPair
    from driftwatch.view.report.facts import DayFacts
    from driftwatch_airflow.ui.monitors import Site


def image_address(request: Request, site: Site, place: str, image_id: str = "") -> str:
    """The path of an image's page, with a slash at its end; without an id the path below which those of the place lie."""
    base = request.scope.get("root_path") or URL_PREFIX
    return f"{base}/m/{site.config.name}/images/{place}/{f'{image_id}/' if image_id else ''}"


def pairs_of_day(request: Request, site: Site, facts: DayFacts) -> list[ShownPair]:
    """The first pairs of a day that drifted."""
    from driftwatch.view.day_images import day_images, features_of
    from driftwatch.view.evidence import first_asked, pairs
    from driftwatch.view.pair_pictures import MOST_PAIRS, with_addresses

    drift = facts.drift
    table = day_images(site.tables, facts.day) if drift and drift.verdict == "drifted" else None
    if drift is None or table is None or not features_of(table):
        return []

    def address(of: Shown) -> str:
        return image_address(request, site, of.day, of.image_id)

    found = pairs(site.tables, drift, table, first_asked(drift), MOST_PAIRS)
    return [with_addresses(pair, address) for pair in found.pairs]

"""The addresses of the pages, of images, and of the pictures that a day's page shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch_airflow.paths import URL_PREFIX

if TYPE_CHECKING:
    from fastapi import Request

    from driftwatch.view.evidence import Shown
    from driftwatch.view.pair_pictures import ShownPair
    from driftwatch.view.report.facts import DayFacts
    from driftwatch_airflow.ui.monitors import Site


def address(request: Request) -> str:
    """Where the browser finds the application: the path below which Airflow is served, if there is one, and URL_PREFIX."""
    found: str = request.scope.get("root_path") or URL_PREFIX
    return found


def image_address(request: Request, site: Site, place: str, image_id: str = "") -> str:
    """The path of an image's page, with a slash at its end; without an id the path below which those of the place lie."""
    return f"{address(request)}/m/{site.config.name}/images/{place}/{f'{image_id}/' if image_id else ''}"


def pairs_of_day(request: Request, site: Site, facts: DayFacts) -> list[ShownPair]:
    """The first pairs of a day that drifted."""
    from driftwatch.view.pair_pictures import first_pairs, with_addresses

    def page_of(shown: Shown) -> str:
        return image_address(request, site, shown.day, shown.image_id)

    return [with_addresses(pair, page_of) for pair in first_pairs(site.tables, facts.day, facts.drift)]

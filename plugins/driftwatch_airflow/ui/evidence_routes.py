"""Evidence in pictures: changed images beside normal ones, one image with all that is known of it, and what people disagreed about.

An image is a path of its own below the monitor: `images/<place>/<image id>/`, where the place is a day, or `training`. Whoever may not read the
monitor's DAG gets none of it.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import pandas as pd
from fastapi import Depends, HTTPException, Query, Request
from starlette.responses import HTMLResponse, Response

from driftwatch.artifacts.day_map import DayMap
from driftwatch.artifacts.drift import DayDrift
from driftwatch.errors import ChangedImage, DriftwatchError
from driftwatch.images.covered import HiddenImage, shown_original
from driftwatch.images.headers import RejectedImage
from driftwatch.view.day_images import day_images, features_of
from driftwatch.view.day_map import ShownMap, shown_map
from driftwatch.view.evidence import Asked, Shown, first_asked, pairs
from driftwatch.view.evidence_choices import choices
from driftwatch.view.evidence_search import found_text, searched_images
from driftwatch.view.evidence_usual import TRAINING_DAY
from driftwatch.view.image_page import find_image, image_key, image_page
from driftwatch.view.large_tables import Large, read_table, read_whole
from driftwatch.view.own_pictures import large_picture
from driftwatch.view.pair_pictures import with_addresses
from driftwatch.view.people import AGAINST, TIES, UNCLEAR, people
from driftwatch.view.thumbnails import thumbnail_of
from driftwatch_airflow.ui import pages
from driftwatch_airflow.ui.access import Chosen
from driftwatch_airflow.ui.addresses import image_address
from driftwatch_airflow.ui.day_routes import DayDep, IdDep, day_of

LARGE_SIDE = 560  # pixels; pages show it at about half of that
_CACHE = "private, max-age=3600"
T = TypeVar("T")
Page = Annotated[int, Query(ge=1, le=1_000_000)]


def _place(place: str) -> str:
    return place if place == TRAINING_DAY else day_of(place).isoformat()


def _or_404(found: T | None, place: str) -> T:
    if found is None:
        raise HTTPException(404, f"{'The training set' if place == TRAINING_DAY else place} has no such image.")
    return found


def _image(site: Chosen, place: str, image_id: IdDep) -> pd.Series:
    """The image's row. 404 where the address is of none."""
    return _or_404(find_image(site.tables, _place(place), image_id), place)


def _key(site: Chosen, place: str, image_id: IdDep) -> str:
    """The key of the image's file. 404 where the address is of none."""
    return _or_404(image_key(site.tables, _place(place), image_id), place)


ImageDep = Annotated[pd.Series, Depends(_image)]
KeyDep = Annotated[str, Depends(_key)]


def show_pairs(
    request: Request,
    site: Chosen,
    day: DayDep,
    feature: str = "",
    label: Annotated[str, Query(alias="class")] = "",
    segment: str = "",
    answer: str = "",
    page: Page = 1,
) -> Response:
    """The day's changed images, each beside its normal neighbour; the most changed first. Without a choice: those that show the change best."""
    drift = site.tables.find(site.artifacts.keys.day(day).drift, DayDrift)
    asked = Asked(feature, label, segment, answer, page) if request.query_params or not drift else first_asked(drift)
    table = searched_images(site.tables, day, asked) if drift else None
    if drift is None or table is None or not features_of(table):
        raise HTTPException(404, f"The features of {day} are not stored: its images were not profiled yet.")
    found = pairs(site.tables, drift, table, asked)
    shown = [with_addresses(pair, lambda of: image_address(request, site, of.day, of.image_id)) for pair in found.pairs]
    given = {"found": found, "asked": asked, "choices": choices(site.tables, drift, table), "shown_pairs": shown}
    told = {"said": found_text(found, drift, asked), "day": day, "site": site}
    return HTMLResponse(pages.page(request, "evidence.html.j2", **given, **told))


def show_image(request: Request, site: Chosen, place: str, row: ImageDep) -> Response:
    """One image: its file, its features, the model's scores, people's votes, and images like it."""
    found = image_page(site.tables, _place(place), row)
    try:
        shown_original(site.artifacts.store, found.image_id, found.key, site.config.images.max_bytes)
        gone = ""
    except DriftwatchError as error:
        gone = str(error)  # also where another bucket cannot be read: the rest of the page does not lie there

    def address(of: Shown) -> str:
        return image_address(request, site, of.day, of.image_id)

    beside = with_addresses(found.pair, address) if found.pair else None
    return HTMLResponse(pages.page(request, "image.html.j2", site=site, found=found, gone=gone, beside=beside))


def give_large(site: Chosen, place: str, image_id: IdDep, key: KeyDep) -> Response:
    """The image for a page: made of its own file, or of what the model sees where that file is gone or cannot be read."""
    kept, why = _CACHE, "The image's file is gone"
    try:
        data: bytes | None = large_picture(site.artifacts.store, image_id, key, LARGE_SIDE)
    except HiddenImage as error:
        raise HTTPException(404, str(error)) from error
    except DriftwatchError as error:
        if not isinstance(error, (ChangedImage, RejectedImage)):  # which may pass
            kept, why = "no-store", str(error)
        place = _place(place)
        data = (
            None if place == TRAINING_DAY else thumbnail_of(site.tables, site.tables.store.day(day_of(place)), image_id)
        )
    if data is None:
        raise HTTPException(404, f"{why}, and what the model was given of it is not there.")
    return Response(data, media_type="image/jpeg", headers={"Cache-Control": kept})


def give_original(site: Chosen, image_id: IdDep, key: KeyDep) -> Response:
    """The image's own file as the camera left it, or what people may be shown of it (`labels.blur`). 404 with the reason where it is gone, was replaced, or is larger than `images.max_bytes`."""
    try:
        found = shown_original(site.artifacts.store, image_id, key, site.config.images.max_bytes)
    except ChangedImage as error:
        raise HTTPException(404, str(error)) from error
    headers = {
        "Cache-Control": _CACHE,
        "Content-Disposition": f'inline; filename="{image_id[:16]}{found.kind.suffix}"',
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'self'",
    }
    return Response(found.data, media_type=found.kind.content_type, headers=headers)


def show_people(
    request: Request, site: Chosen, day: DayDep, ties: Page = 1, unclear: Page = 1, against: Page = 1
) -> Response:
    """What people disagreed about on the day, who takes which class for which, and why answers did not count."""
    keys = site.artifacts.keys.day(day)
    labels = site.tables.get(keys.labels, read_table)
    asked = None if labels is None or isinstance(labels, Large) else labels["image_id"].tolist()
    images = day_images(site.tables, day, asked)
    if images is None or "status" not in images:
        raise HTTPException(404, f"No labels of {day} are stored: nobody was asked, or labelling has not ended.")
    assignments, annotators = (site.tables.get(key, read_whole) for key in (keys.assignments, keys.annotators))
    found = people(site.config, images, assignments, annotators, {TIES: ties, UNCLEAR: unclear, AGAINST: against})
    here = image_address(request, site, day.isoformat())
    return HTMLResponse(pages.page(request, "people.html.j2", site=site, day=day, found=found, images=here))


def _map(site: Chosen, day: DayDep) -> ShownMap:
    """The day's map. 404 where it has none."""
    found = site.tables.find(site.artifacts.store.day(day).key(DayMap), DayMap)
    images = day_images(site.tables, day, found.of_day.images) if found else None
    if found is None or images is None:
        raise HTTPException(404, f"There is no map of {day}: its content was not compared with a reference.")
    return shown_map(found, images, site.tables)


MapDep = Annotated[ShownMap, Depends(_map)]


def show_map(request: Request, site: Chosen, day: DayDep, found: MapDep) -> Response:
    """The day's images and those of the reference in two dimensions; the points come from `map.json`."""
    addresses = {
        "images": image_address(request, site, day.isoformat()),
        "training": image_address(request, site, TRAINING_DAY),
    }
    return HTMLResponse(pages.page(request, "map.html.j2", site=site, day=day, found=found, **addresses))


def give_map(found: MapDep) -> Response:
    """The points of the map, and what is known of each."""
    points = {"of_day": found.of_day, "of_reference": found.of_reference}
    return Response(pages.as_json(points), media_type="application/json")

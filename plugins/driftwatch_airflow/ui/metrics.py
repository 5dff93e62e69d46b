"""/driftwatch/metrics: the numbers of all monitors that the caller may see, as Prometheus reads them, made of what the days left."""

from __future__ import annotations

import hmac
import logging
import os
import time
from datetime import datetime, timezone
from typing import Annotated

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.responses import PlainTextResponse, Response

from driftwatch.metrics.current import samples_now
from driftwatch.metrics.names import Sample
from driftwatch.metrics.text import CONTENT_TYPE, exposition
from driftwatch_airflow.ui.access import AllSites, may_see
from driftwatch_airflow.ui.monitors import PATIENCE, Site

# Of the api-server: who sends this token sees the numbers of all monitors, and nothing else.
TOKEN_VARIABLE = "DRIFTWATCH_METRICS_TOKEN"  # noqa: S105
_SHORTEST = 16

log = logging.getLogger(__name__)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def seen_sites(request: Request, sites: AllSites, bearer: Bearer) -> list[Site]:
    """All monitors for the holder of the page's own token; else those that Airflow lets the user see. 401 for anybody else."""
    found = list(sites.valid().values())
    own = os.environ.get(TOKEN_VARIABLE, "")
    if own and bearer and hmac.compare_digest(own.encode(), bearer.credentials.encode()):
        if len(own) < _SHORTEST:
            raise HTTPException(403, f"{TOKEN_VARIABLE} has fewer than {_SHORTEST} signs: set a longer one")
        return found
    user = await get_user(request, None, bearer)
    return [site for site in found if may_see(user, site.config.monitoring_dag_id)]


def give_metrics(sites: Annotated[list[Site], Depends(seen_sites)]) -> Response:
    """A monitor that cannot be read is told by `driftwatch_monitor_readable` 0; the others have their numbers all the same."""
    deadline = time.monotonic() + PATIENCE
    asked = {site.config.name: (site, site.start_reading(_samples)) for site in sites}
    found: dict[str, list[Sample]] = {}
    for name, (site, reading) in asked.items():
        try:
            found[name] = site.has_read(reading, deadline)
        except Exception as error:  # a storage may raise whatever its library does, and one monitor hides no other
            log.warning("The numbers of %s cannot be read: %s", name, error)
    return PlainTextResponse(exposition(found, {name: name not in found for name in asked}), media_type=CONTENT_TYPE)


def _samples(site: Site) -> list[Sample]:
    return samples_now(site.artifacts.store, site.artifacts.find, datetime.now(timezone.utc))

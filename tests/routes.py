"""The routes of a module's router, made once in a process.

Tests start hundreds of servers. To make the routes of one anew takes a tenth of a second of CPU, which is most of such a test.
"""

from __future__ import annotations

import sys
from typing import Any


def include_each_once() -> None:
    """From now on an application gets the routes that another one has made of the same router. So they know of no application's
    `dependency_overrides`; ours that have some include no router."""
    from fastapi import APIRouter, FastAPI

    made: dict[Any, tuple[APIRouter, list[Any]]] = {}
    include = FastAPI.include_router

    def once(self: FastAPI, router: APIRouter, **how: Any) -> None:
        if not all(map(_of_a_module, router.routes)) or not how.keys() <= {"prefix", "dependencies"}:
            include(self, router, **how)
            return
        given = id(router), how.get("prefix"), tuple(depends.dependency for depends in how.get("dependencies", ()))
        if given not in made:
            before = len(self.router.routes)
            include(self, router, **how)
            made[given] = router, self.router.routes[before:]
            return
        self.router.routes.extend(made[given][1])

    FastAPI.include_router = once  # type: ignore[method-assign]


def _of_a_module(route: Any) -> bool:
    """Whether its function is one of ours that stands in a module, and was not made for one application."""
    name, module = route.endpoint.__name__, route.endpoint.__module__
    return module.startswith("driftwatch") and getattr(sys.modules[module], name, None) is route.endpoint

"""The sinks by name: those that are built in, and those that installed packages bring.

A package brings one by a line in its pyproject.toml:

    [project.entry-points."driftwatch.sinks"]
    warehouse = "our_package.sinks:warehouse"      # called with a SinkSite, gives a Sink

`publish.sinks` of a monitor file then takes the name `warehouse`.
"""

from __future__ import annotations

import pkgutil
from importlib.metadata import entry_points
from typing import cast

from driftwatch.config.publish import BUILT_IN_SINKS, SINKS_ENTRY_POINTS
from driftwatch.errors import ConfigError
from driftwatch.publish.base import Sink, SinkFactory, SinkSite

# By name, since WhyLabs' needs a client that a monitor without it does not load. The names are those of BUILT_IN_SINKS.
_BUILT_IN = {
    "whylabs": "driftwatch.publish.whylabs.sink:whylabs_sink",
    "local": "driftwatch.publish.local:local_sink",
}


def sinks_of(site: SinkSite) -> list[Sink]:
    """The monitor's sinks, in the order of its file."""
    return [sink_of(name, site) for name in site.store.config.publish.sinks]


def sink_of(name: str, site: SinkSite) -> Sink:
    """The sink of a name; raises ConfigError where no installed package has it, or it cannot be loaded."""
    if name in _BUILT_IN:
        factory: SinkFactory = pkgutil.resolve_name(_BUILT_IN[name])
        return factory(site)
    found = [entry for entry in entry_points(group=SINKS_ENTRY_POINTS) if entry.name == name]
    if not found:
        raise ConfigError(
            f"publish.sinks names {name!r}, which no installed package has: install the package with the entry point {name} of the "
            f"group {SINKS_ENTRY_POINTS}, or name one of {', '.join(BUILT_IN_SINKS)}"
        )
    try:
        factory = cast(SinkFactory, found[0].load())
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"publish.sinks names {name!r}, and its entry point {found[0].value} cannot be loaded ({type(error).__name__}: {error}): "
            "correct the package that brings it"
        ) from error
    return factory(site)

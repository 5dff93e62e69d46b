"""The sinks by name: those that are built in, and those that installed packages bring.

A package brings one by a line in its pyproject.toml:

    [project.entry-points."driftwatch.sinks"]
    warehouse = "our_package.sinks:warehouse"      # called with a SinkSite, gives a Sink

`publish.sinks` of a monitor file then takes the name `warehouse`.
"""

from __future__ import annotations

from driftwatch.config.publish import SINKS_ENTRY_POINTS
from driftwatch.publish.base import Sink, SinkFactory, SinkSite
from driftwatch.seams import Seam

SEAM = Seam(
    "sink",
    SINKS_ENTRY_POINTS,
    # The names are those of BUILT_IN_SINKS.
    {"whylabs": "driftwatch.publish.whylabs.sink:whylabs_sink", "local": "driftwatch.publish.local:local_sink"},
)


def sinks_of(site: SinkSite) -> list[Sink]:
    """The monitor's sinks, in the order of its file."""
    return [sink_of(name, site) for name in site.store.config.publish.sinks]


def sink_of(name: str, site: SinkSite) -> Sink:
    """The sink of a name; raises ConfigError where no installed package has it, or it cannot be loaded."""
    factory: SinkFactory = SEAM.find(name)
    return factory(site)

"""By what the doctor reaches the outside. Only Airflow knows its connections and notifiers, so its layer makes this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from driftwatch.seams import Seam

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.config import MonitorConfig, NotifierConfig
    from driftwatch.credentials import Access
    from driftwatch.labels.backends.base import LabelBackend
    from driftwatch.labels.links import LinkSigners


@dataclass(frozen=True)
class Site:
    """One monitor, and the ways to what it needs; nothing is opened before it is called.

    `now`: the time of this machine (aware). `name`: tells one examination from another, in storage. `store`: the storage, opened with
    its connection. `refuse_missing(connection, setting)` raises NeedsAttention where there is no such Airflow connection.
    `access(connection, secret, setting)` reads one, as `label_backends.LabelSite` says. `backend` and `signers`: the service by which people
    label, and who signs links to images. `load_notifier` raises where it cannot be made; `notify` sends a test message by it.
    """

    monitor: MonitorConfig
    name: str
    now: Callable[[], datetime]
    store: Callable[[], MonitorStore]
    refuse_missing: Callable[[str, str], object]
    access: Callable[[str, str, str], Access]
    backend: Callable[[], LabelBackend]
    signers: Callable[[], LinkSigners]
    load_notifier: Callable[[NotifierConfig], object]
    notify: Callable[[NotifierConfig], None]


# For commands outside of tasks. Whoever reads Airflow's connections is installed beside the domain.
SITES = Seam("way to the outside", "driftwatch.sites", {})


def site_of_command(monitor: MonitorConfig) -> Site:
    """The site of a command on this machine: connections come from its environment, a secrets backend, or Airflow's database."""
    make: Callable[[MonitorConfig], Site] = SITES.find("airflow")
    return make(monitor)

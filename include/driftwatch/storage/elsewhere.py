"""Which storage has the image of a stored key: the monitor's, or that of another address."""

from __future__ import annotations

from collections.abc import Callable

from driftwatch.storage.addresses import split_address
from driftwatch.storage.base import Storage

# Opens the storage of another address than the monitor's own: a bucket or container, or the first folder of a path.
Elsewhere = Callable[[str], Storage]


def storage_of(key: str, own: Storage, elsewhere: Elsewhere) -> tuple[Storage, str]:
    """The storage that has the image of a stored key, and its key there. `own`: the monitor's."""
    place, rest = split_address(key)
    return (elsewhere(place), rest) if place else (own, key)

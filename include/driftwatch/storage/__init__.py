"""One storage root: keys to bytes. `Storage` is the seam, `open_storage` makes the kind that an address names.

A new kind is one subclass of `Storage` (`kind.Kind` says which methods it gives) and one line: in `kinds.BUILT_IN`, or as an entry point of a
package of its own in the group `driftwatch.storages`. tests/driftwatch/storage/test_conformance*.py are what each has to pass.
"""

from __future__ import annotations

from driftwatch.storage.base import Storage, StoredObject
from driftwatch.storage.entries import SigningCredentials, Stored
from driftwatch.storage.kinds import open_storage
from driftwatch.storage.read_ahead import Fetched

__all__ = ["Fetched", "SigningCredentials", "Storage", "Stored", "StoredObject", "open_storage"]

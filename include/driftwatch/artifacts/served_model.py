"""The file of a version that a model server answers for."""

from __future__ import annotations

from typing import Literal

from driftwatch.artifacts.base import Artifact


class ServedModel(Artifact):
    """models/<version>/model.json: which model of which server it is. It has no weights, so its answers are asked anew."""

    protocol: Literal["v2", "tensorflow"]
    """How it is asked."""
    model: str
    """Its name on the server."""
    address: str
    """The server's address when it was registered. Later requests go to the address that the connection has then."""
    versions: tuple[str, ...]
    """The versions that answered when it was registered, as the server tells them; empty where it does not."""

"""What is stored of the forgetting of images: the work while it goes on, and the receipt afterwards."""

from __future__ import annotations

import datetime

from pydantic import Field

from driftwatch.artifacts.base import Artifact, Part
from driftwatch.artifacts.parts import Time

# A name in place of an image's id begins so. No sha256 does, but by a chance of one in 10^19.
FORGOTTEN = "f0f0f0f0f0f0f0f0"
# Where the link of a forgotten image leads: nowhere, by RFC 2606.
NOWHERE = "https://forgotten.invalid/"


class WantedImage(Part):
    """An image that is being forgotten. It is in the work alone, which is deleted at the end."""

    image_id: str
    """The sha256 of its bytes."""
    token: str
    """The random name that stands in its place afterwards. Nothing leads from it to the image."""
    keys: tuple[str, ...]
    """Where its file lies or lay, each copy of it."""


class ForgetCounts(Part):
    """What was done so far. A run that was killed in the middle of a step may have done a little more."""

    changed: dict[str, int] = Field(default_factory=dict)
    """How many objects were changed or deleted, by what they are, such as inputs or tables."""
    services: dict[str, int] = Field(default_factory=dict)
    """Tasks that were blanked at label services, by the service."""
    services_left: dict[str, int] = Field(default_factory=dict)
    """Tasks that may still be at label services, by the service."""


class ForgetWork(ForgetCounts, Artifact):
    """forgotten/<receipt>/work.json: what is being forgotten. A killed run is gone on with from here; it is deleted when the receipt is written."""

    at: Time
    """When it was asked for."""
    by: str
    """Who asked for it."""
    images: tuple[WantedImage, ...]
    """The images."""
    models: tuple[str, ...]
    """The model versions that were trained on any of them."""
    near_duplicates: int
    """Images that look nearly the same and stay."""
    reports: tuple[datetime.date, ...]
    """The days whose report is written anew."""


class ForgetReceipt(ForgetCounts, Artifact):
    """forgotten/<receipt>/receipt.json: that images were forgotten. It has no name, no file name and no hash of any image: a sha256 is a
    pseudonym, which whoever has the file can make."""

    receipt: str
    """The receipt's own name: the team's register of requests leads from a person to it."""
    at: Time
    """When it was asked for."""
    by: str
    """Who asked for it."""
    images: int
    """How many images were forgotten."""
    originals_left: int
    """Files of theirs that stay where the camera or the team left them, as `storage.forget_originals` says."""
    models: tuple[str, ...]
    """Model versions that were trained on any of them. Their weights stay as they are."""
    near_duplicates: int
    """Images that look nearly the same, and stay until somebody decides on them."""

"""Links by which annotators see images: presigned on S3, signed and expiring on an image server for file:// storage.

A link leads to a copy that is named by the image id alone: the original's path would tell the class of a control task, or what a
file was called, and may lead to another picture by now. The link is never a key: its signature and expiry change, so tasks carry the image_id beside it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from urllib.parse import quote

from driftwatch.artifacts.forgetting import FORGOTTEN, NOWHERE
from driftwatch.errors import AccessRefused, DriftwatchError
from driftwatch.images.covered import Covers
from driftwatch.labels.shown import ShownImages
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.elsewhere import Elsewhere


def sign(key: str, expires: int, secret: str) -> str:
    """HMAC-SHA256 in hex of the storage key and the link's end, in seconds since 1970."""
    return hmac.new(secret.encode(), f"{key}\n{expires}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class ImageServer:
    """An HTTP server that shows a file:// storage to annotators by signed links."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class LinkSigners:
    """What makes image links. `server`: the image server of a file:// storage. `storage`: the object store, opened with the credentials
    that sign links; None if the monitor's own do."""

    server: ImageServer | None = None
    storage: Storage | None = None


@dataclass(frozen=True)
class ImageLinks:
    """Makes the link of an image. `now` is when the links are made; all of them end at `expires`. `folder` takes the copies.

    `server` shows a file:// storage. `signer` is the same object store by the credentials that sign links, where those are others.
    `covers`: what is covered in the copies (`labels.blur`). `elsewhere`: opens the storage of images that lie apart.
    """

    storage: Storage
    folder: str
    now: datetime
    expires: datetime
    server: ImageServer | None = None
    signer: Storage | None = None
    covers: Covers | None = None
    elsewhere: Elsewhere = open_storage

    def end(self, wanted: datetime) -> datetime | None:
        """Until when links that are made now are valid: `wanted`, or the end of the credentials that sign them, if that is sooner. None
        where these do not tell theirs."""
        if not self.storage.presigns:
            return wanted
        credentials = (self.signer or self.storage).signing_credentials()
        if not credentials.temporary:
            return wanted
        return credentials.end and min(wanted, credentials.end)

    def check(self, until: datetime | None = None) -> None:
        """Raises AccessRefused where the links would end before `expires` (or `until`, if that is later).

        A presigned link ends with the credentials that signed it, whatever time it names: those of a role last an hour to twelve.
        """
        needed = max(self.expires, until or self.expires)
        found = self.end(needed)
        if found == needed:
            return
        end = f"at {found.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC" if found else "at a time that they do not tell"
        exam = "set labels.exam to null, whose links live for seven days, and " if needed > self.expires else ""
        raise AccessRefused(
            f"image links to {self.storage.uri} would be signed with temporary credentials that end {end}, and the links with them; "
            f"annotators need them until {needed.astimezone(timezone.utc):%Y-%m-%d %H:%M} UTC. Nothing was created or paid. Either let labels.image_links name an Airflow "
            f"connection of type aws with an access key of an IAM user who may read {self.storage.uri}/{self.folder}/*, which then signs "
            f"the links alone; or {exam}lower labels.expire_hours until the pool ends before the credentials do (links live four hours longer)"
        )

    def link(self, image_id: str, original: str) -> str:
        """The image's address until `expires`; `original` is the storage key of the image. Raises ChangedImage where that is another
        picture by now, and was not copied before."""
        self._refuse_unseen()
        if image_id.startswith(FORGOTTEN):
            return NOWHERE
        return self.to(self._shown.key(image_id, original))

    def _refuse_unseen(self) -> None:
        if not self.storage.presigns and self.server is None:
            raise DriftwatchError(
                f"{self.storage.uri} is a file:// storage, which annotators cannot see: set labels.image_links to an "
                "HTTP connection of the image server, or use an object store (s3://, gs://, az://)"
            )

    def to(self, key: str) -> str:
        """The address until `expires` of what is stored at `key`."""
        self._refuse_unseen()
        if self.server is None:
            return (self.signer or self.storage).presigned_url(
                key, max(1, int((self.expires - self.now).total_seconds()))
            )
        expires = int(self.expires.timestamp())
        signature = sign(key, expires, self.server.secret)
        return f"{self.server.url.rstrip('/')}/{quote(key)}?expires={expires}&signature={signature}"

    @cached_property
    def _shown(self) -> ShownImages:
        return ShownImages(self.storage, self.folder, self.covers, self.elsewhere)

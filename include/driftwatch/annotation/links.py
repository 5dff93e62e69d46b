"""Links by which annotators see images: presigned on S3, signed and expiring on an image server for file:// storage.

A link leads to a copy that is named by the image id alone: the original's path would tell the class of a control task, or what a
file was called, and may lead to another picture by now. The link is never a key: its signature and expiry change, so tasks carry the image_id beside it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from urllib.parse import quote

from driftwatch.annotation.shown import ShownImages
from driftwatch.errors import DriftwatchError
from driftwatch.storage import Storage


def sign(key: str, expires: int, secret: str) -> str:
    """HMAC-SHA256 in hex of the storage key and the link's end, in seconds since 1970."""
    return hmac.new(secret.encode(), f"{key}\n{expires}".encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class ImageServer:
    """An HTTP server that shows a file:// storage to annotators by signed links."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class ImageLinks:
    """Makes the link of an image. `now` is when the links are made; all of them end at `expires`. `folder` takes the copies."""

    storage: Storage
    folder: str
    now: datetime
    expires: datetime
    server: ImageServer | None = None

    def link(self, image_id: str, original: str) -> str:
        """The image's address until `expires`; `original` is the storage key of the image. Raises ChangedImage where that is another
        picture by now, and was not copied before."""
        if self.storage.scheme != "s3" and self.server is None:
            raise DriftwatchError(
                f"{self.storage.uri} is a file:// storage, which annotators cannot see: set annotation.image_links to an "
                "HTTP connection of the image server, or use an s3:// storage"
            )
        key = self._shown.key(image_id, original)
        if self.server is None:
            return self.storage.presigned_url(key, max(1, int((self.expires - self.now).total_seconds())))
        expires = int(self.expires.timestamp())
        signature = sign(key, expires, self.server.secret)
        return f"{self.server.url.rstrip('/')}/{quote(key)}?expires={expires}&signature={signature}"

    @cached_property
    def _shown(self) -> ShownImages:
        return ShownImages(self.storage, self.folder)

"""What the crowd sees and knows: the images behind the links, and the file of true labels."""

from __future__ import annotations

import csv
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import urllib3

_TIMEOUT_SECONDS = 5.0
# JPEG, PNG, GIF, BMP, WebP. An error page is no image, for a person neither.
_IMAGE_STARTS = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"RIFF")


class Truth:
    """True labels by image id (the SHA-256 of the bytes, in hex), from a CSV file `image_id,label`. It is read again when it changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._labels: dict[str, str] = {}

    def labels(self) -> dict[str, str]:
        """All labels. Empty while the file does not exist. Raises ValueError if the file has not the two columns."""
        if self._path is None or not self._path.exists():
            return {}
        status = os.stat(self._path)
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            with self._path.open(newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                if not {"image_id", "label"} <= set(reader.fieldnames or ()):
                    raise ValueError(f"{self._path}: the first line must name the columns image_id and label")
                self._labels = {row["image_id"]: row["label"] for row in reader}
            self._stamp = stamp
        return self._labels


class Eyes:
    """Fetches the images of the pages that somebody works on. Fetches a URL once for each pool, unless it failed.

    With `resolve=False` nothing is fetched: the image id is the last part of the URL's path, without its suffix.
    """

    def __init__(self, resolve: bool = True) -> None:
        self._resolve = resolve
        self._http = urllib3.PoolManager(maxsize=4, retries=urllib3.Retry(0, redirect=3), timeout=_TIMEOUT_SECONDS)
        self._fetchers = ThreadPoolExecutor(4, thread_name_prefix="crowd-eyes")
        self._seen: dict[tuple[str, str], Future[str | None]] = {}

    def look(self, pool_id: str, urls: list[str]) -> None:
        """Starts to fetch; a link that failed before is tried again."""
        for url in urls:
            known = self._seen.get((pool_id, url))
            if known is None or (known.done() and known.result() is None):
                self._seen[pool_id, url] = self._fetchers.submit(self._image_id, url)

    def ready(self, pool_id: str, urls: list[str]) -> bool:
        return all(self._seen[pool_id, url].done() for url in urls)

    def image_id(self, pool_id: str, url: str) -> str | None:
        """The image behind a link that `look` was called with. None if it could not be fetched, or is no image."""
        return self._seen[pool_id, url].result()

    def forget(self, pool_ids: set[str]) -> None:
        """Forgets what was seen for other pools than these."""
        self._seen = {key: seen for key, seen in self._seen.items() if key[0] in pool_ids}

    def close(self) -> None:
        self._fetchers.shutdown(wait=True, cancel_futures=True)

    def _image_id(self, url: str) -> str | None:
        if not self._resolve:
            return unquote(urlsplit(url).path.rsplit("/", 1)[-1]).rsplit(".", 1)[0]
        try:
            response = self._http.request("GET", url)
        except urllib3.exceptions.HTTPError:
            return None
        if response.status != 200 or not response.data.startswith(_IMAGE_STARTS):
            return None
        return hashlib.sha256(response.data).hexdigest()

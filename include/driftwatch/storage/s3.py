"""A storage root on S3, or on a server that speaks its API.

obstore reads and writes. boto3 gives the credentials, lists what obstore cannot, and signs links for people. libcurl reads many objects.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from driftwatch.errors import OddEntry, ReplacedMeanwhile
from driftwatch.seams import Extra
from driftwatch.storage import by_links
from driftwatch.storage.entries import SigningCredentials
from driftwatch.storage.errors import answer_of, calling, refused_setup
from driftwatch.storage.foreign_files import from_key
from driftwatch.storage.object_store import ObjectStore
from driftwatch.storage.read_ahead import Fetched, fetched, in_a_thread

if TYPE_CHECKING:
    from obstore.store import ClientConfig

logger = logging.getLogger(__name__)
_OF_AWS = (".amazonaws.com", ".amazonaws.com.cn")
# So long obstore keeps credentials before it asks boto3 again, which renews those that end.
_CREDENTIALS_KEPT = timedelta(minutes=5)
# What S3 says to a copy of more than 5 GB by one request.
_TOO_LARGE_TO_COPY = ("InvalidRequest", "EntityTooLarge")
_COPIED_PART = 2**28  # bytes, of which S3's own server needs seconds
# Links to many objects: how many are signed at once, and how long they work.
_SIGNED_AT_ONCE, _LINKS_WORK = 128, timedelta(minutes=15)
# How many objects libcurl may fail to get that obstore then reads, and one more for each so many: a server resets some connections.
_MOST_FAILED, _ONE_OF = 3, 100
_ONE_REQUEST = timedelta(minutes=10)


@dataclass(frozen=True)
class S3Login:
    """Who asks S3, and how. `session`: boto3's; by default that of the environment. The others are boto3's arguments of a client."""

    session: Any = None
    endpoint_url: str | None = None
    verify: bool | str | None = None
    config: Any = None


class S3Storage(ObjectStore):
    """A login is an S3Login; by default boto3's own search finds credentials and settings."""

    scheme = "s3"
    example = "s3://bucket/prefix"
    extra = Extra("s3", "obstore")

    @property
    def lists_in_order(self) -> bool:  # type: ignore[override]
        """Directory buckets (S3 Express One Zone) do not, and their names end so."""
        return not self._bucket.endswith("--x-s3")

    def reach(self) -> None:
        self._listed_one()

    def clock(self) -> datetime | None:
        headers = self._listed_one()["ResponseMetadata"]["HTTPHeaders"]
        return parsedate_to_datetime(headers["date"]) if "date" in headers else None

    def _listed_one(self) -> Any:
        """Below the root alone: the account need not list the rest of the bucket."""
        asked = {"Bucket": self._bucket, "Prefix": self._prefix(self.root), "MaxKeys": 1}
        return calling("list", self.uri, lambda: self._client.list_objects_v2(**asked))

    def presigned_url(self, key: str, seconds: int) -> str:
        asked = {"Bucket": self._bucket, "Key": self._key(self.path(key))}
        return self._calling(
            "sign a link to",
            key,
            lambda: str(self._client.generate_presigned_url("get_object", asked, ExpiresIn=seconds)),
        )

    def signing_credentials(self) -> SigningCredentials:
        found = self._session.get_credentials()
        if found is None:  # anonymous: links have no signature, and work as long as the bucket is open to all
            return SigningCredentials(temporary=False)
        frozen = found.get_frozen_credentials()
        return SigningCredentials(bool(frozen.token), getattr(found, "_expiry_time", None) if frozen.token else None)

    @cached_property
    def _login(self) -> S3Login:
        return self._given or S3Login()

    @cached_property
    def _session(self) -> Any:
        import boto3

        return self._login.session or boto3.Session()

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config

        login = self._login
        ours = Config(connect_timeout=5, read_timeout=30, max_pool_connections=32)
        try:
            return self._session.client(
                "s3",
                endpoint_url=login.endpoint_url,
                verify=login.verify,
                config=ours.merge(login.config) if login.config else ours,
            )
        except ValueError as error:  # an endpoint without http:// or https://
            raise refused_setup(self.uri, error) from error

    def _opened(self) -> Any:
        from botocore import UNSIGNED
        from botocore.exceptions import NoCredentialsError
        from obstore.store import S3Store

        meta = self._client.meta
        address = urlsplit(meta.endpoint_url)
        of_aws = (address.hostname or "").endswith(_OF_AWS)
        settings: dict[str, Any] = {"region": meta.region_name}
        if of_aws:
            # boto3 follows a bucket to its region by itself, obstore does not.
            settings["region"] = self._client.head_bucket(Bucket=self._bucket)["BucketRegion"]
            settings["virtual_hosted_style_request"] = "." not in self._bucket
        else:
            settings["endpoint"] = meta.endpoint_url
        if meta.config.signature_version is UNSIGNED:
            settings["skip_signature"] = True
        elif (credentials := self._session.get_credentials()) is None:
            raise NoCredentialsError
        else:
            settings["credential_provider"] = lambda: _frozen(credentials)
        retries = meta.config.retries or {}
        options: ClientConfig = {
            "allow_http": address.scheme == "http",
            "connect_timeout": timedelta(seconds=meta.config.connect_timeout),
            "read_timeout": timedelta(seconds=meta.config.read_timeout),
            "timeout": _ONE_REQUEST,
        }
        if self._login.verify is False:
            options["allow_invalid_certificates"] = True
        elif isinstance(self._login.verify, str):  # a file of certificates
            options["root_certificate"] = Path(self._login.verify).read_bytes()
        return S3Store(
            self._bucket,
            **settings,
            client_options=options,
            retry_config={
                "max_retries": retries.get("total_max_attempts", 5) - 1,
                "retry_timeout": timedelta(minutes=1),
            },
        )

    def iter_foreign(
        self, keys: Sequence[str], folder: str, limit: int, at_once: int = 16
    ) -> Generator[Fetched, None, None]:
        """By libcurl where it is installed (`driftwatch.storage.by_links`); what libcurl does not get, obstore reads. One thread does it. It is
        ahead of the consumer by at most `at_once` objects and 32 MiB, with `at_once` more under way."""
        if by_links.library() is None:
            return super().iter_foreign(keys, folder, limit, at_once)
        _ = self._store  # made once, before threads share it
        return in_a_thread(self._by_links(keys, folder, limit, at_once), at_once)

    def _by_links(self, keys: Sequence[str], folder: str, limit: int, at_once: int) -> Generator[Fetched, None, None]:
        config, failed, done = self._client.meta.config, 0, 0
        how = by_links.How(
            limit, config.connect_timeout, config.read_timeout, _ONE_REQUEST.total_seconds(), self._login.verify
        )
        with closing(by_links.read(self._links(keys, folder), how, at_once)) as found:
            for key, data in found:
                if data is not None:
                    answer = Fetched(key, data)
                else:
                    answer = fetched(lambda key: self.read_foreign(key, folder, limit), key)
                    failed += answer.error is None
                done += 1
                yield answer
                if failed >= _MOST_FAILED + done // _ONE_OF:
                    logger.info("%s: links do not work here, or the network is unwell; obstore reads on", self.uri)
                    break
        yield from super().iter_foreign(keys[done:], folder, limit, at_once)

    def _links(self, keys: Sequence[str], folder: str) -> Iterator[tuple[str, str | None]]:
        """Each key, and a link where one can be signed."""
        for start in range(0, len(keys), _SIGNED_AT_ONCE):
            some = keys[start : start + _SIGNED_AT_ONCE]
            names = {key: name for key in some if (name := self._foreign_name(key, folder)) is not None}
            links = dict(zip(names, self._signed([*names.values()]), strict=True))
            yield from ((key, links.get(key)) for key in some)

    def _foreign_name(self, key: str, folder: str) -> str | None:
        try:
            return self._foreign_key(f"{self.root}/{from_key(key)}", f"{self.root}/{from_key(folder)}".rstrip("/"))
        except OddEntry:
            return None  # which is raised again where it is read

    def _signed(self, names: list[str]) -> Sequence[str | None]:
        import obstore

        try:
            return obstore.sign(self._store, "GET", names, _LINKS_WORK) if names else ()
        except Exception as error:  # also of boto3: without credentials there are no links
            logger.info("%s: no links can be signed (%s)", self.uri, error)
            return [None] * len(names)

    def _list(self, path: str) -> Iterator[tuple[str, int]]:
        """By obstore, in a tenth of boto3's time. From the first page on with a key that obstore refuses or changes, by boto3."""
        from obstore.exceptions import InvalidPathError

        prefix, last = self._prefix(path), None
        try:
            for page in self._store.list(prefix or None):
                found = [(f"{item['path']}/"[len(prefix) : -1], item["size"]) for item in page]
                if not _told_exactly(last, found):
                    break
                yield from found
                last = found[-1][0] if found else last
            else:
                return
        except (InvalidPathError, ValueError):
            pass  # the other is of a folder with such a name
        after = {} if last is None else {"StartAfter": prefix + last}
        for listed in self._pages(Prefix=prefix, **after):
            yield from ((item["Key"][len(prefix) :], item["Size"]) for item in listed.get("Contents", ()))

    def _directly(self, path: str) -> Iterator[tuple[str, int | None]]:
        prefix = self._prefix(path)
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            yield from ((folder["Prefix"][len(prefix) :], None) for folder in page.get("CommonPrefixes", ()))
            yield from ((found["Key"][len(prefix) :], found["Size"]) for found in page.get("Contents", ()))

    def _copy(self, source: str, target: str) -> None:
        """By one request, and part by part where S3 refuses that, since the object has more than 5 GB."""
        try:
            return super()._copy(source, target)
        except Exception as error:
            if answer_of(error).code not in _TOO_LARGE_TO_COPY:
                raise
        from boto3.s3.transfer import TransferConfig
        from s3transfer.exceptions import S3CopyFailedError

        by_parts = TransferConfig(multipart_threshold=_COPIED_PART, multipart_chunksize=_COPIED_PART)
        try:
            self._client.copy({"Bucket": self._bucket, "Key": source}, self._bucket, target, Config=by_parts)
        except S3CopyFailedError:
            raise ReplacedMeanwhile(
                f"{self.scheme}://{self._bucket}/{source} was replaced while it was copied: run the task again"
            ) from None

    def _prefix(self, path: str) -> str:
        """Also of a folder whose name obstore refuses: boto3 lists it."""
        return f"{path.removeprefix(f'{self._bucket}/')}/" if path != self._bucket else ""

    def _pages(self, **asked: str) -> Iterator[Any]:
        return iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, **asked))


def _told_exactly(last: str | None, found: Sequence[tuple[str, int]]) -> bool:
    """Whether these names are the objects' own: obstore drops a last `/`. So an empty object may be the marker of a folder, and a name out of
    order has lost something. `last`: the name before them."""
    names = [*([] if last is None else [last]), *(name for name, _ in found)]
    return all(size for name, size in found if name) and all(one < other for one, other in pairwise(names))


def _frozen(credentials: Any) -> dict[str, Any]:
    now = credentials.get_frozen_credentials()
    return {
        "access_key_id": now.access_key,
        "secret_access_key": now.secret_key,
        "token": now.token,
        "expires_at": datetime.now(timezone.utc) + _CREDENTIALS_KEPT,
    }

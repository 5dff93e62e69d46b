"""A storage on the S3 API of the tests' own server."""

from __future__ import annotations

import boto3
from botocore.config import Config

from driftwatch.storage import Storage, open_storage
from driftwatch.storage.s3 import S3Login


def login_at(endpoint: str, key: str = "k", secret: str = "s", token: str | None = None, tries: int = 5) -> S3Login:
    """`tries`: how often boto3 and obstore try by themselves."""
    session = boto3.Session(key, secret, token, region_name="us-east-1")
    return S3Login(session, endpoint, config=Config(retries={"total_max_attempts": tries}))


def make_bucket(login: S3Login, name: str) -> None:
    login.session.client("s3", endpoint_url=login.endpoint_url).create_bucket(Bucket=name)


def open_s3(endpoint: str, uri: str) -> Storage:
    return open_storage(uri, login_at(endpoint))

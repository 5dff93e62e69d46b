"""Presigned links are made by credentials that outlive them, or refused before anything is paid; on a real S3 API (moto's server)."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta, timezone

import boto3
import httpx
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session

from driftwatch.errors import AccessRefused, DriftwatchError
from driftwatch.labels.links import ImageLinks, ImageServer, sign
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.s3 import S3Login

from ..s3 import login_at, make_bucket

PICTURE = b"\xff\xd8\xff picture"
IMAGE_ID = hashlib.sha256(PICTURE).hexdigest()
NOW = datetime.now(timezone.utc)


@pytest.fixture(scope="module")
def s3():
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def storage(endpoint: str, bucket: str = "", session: object = None, **credentials: str) -> Storage:
    login = S3Login(session, endpoint) if session else login_at(endpoint, **credentials)
    if not bucket:
        bucket = f"bucket-{os.urandom(4).hex()}"
        make_bucket(login, bucket)
    return open_storage(f"s3://{bucket}", login)


def role(hours: float) -> boto3.Session:
    """A session whose credentials are a role's: they have a token, and end."""
    end = datetime.now(timezone.utc) + timedelta(hours=hours)
    fresh = {"access_key": "ASIA", "secret_key": "s", "token": "t", "expiry_time": end.isoformat()}
    session = get_session()
    session._credentials = RefreshableCredentials("ASIA", "s", "t", end, lambda: fresh, "assume-role")
    return boto3.Session(botocore_session=session, region_name="us-east-1")


def links(where: Storage, hours: float, **more: object) -> ImageLinks:
    return ImageLinks(where, "cats/days/2026-01-02/shown", NOW, NOW + timedelta(hours=hours), **more)


def test_an_access_key_of_its_own_signs_links_of_any_length(s3):
    where = storage(s3, key="AKIA", secret="s")
    where.write_bytes("incoming/a.jpg", PICTURE)
    made = links(where, 100)
    made.check()
    assert httpx.get(made.link(IMAGE_ID, "incoming/a.jpg"), trust_env=False).content == PICTURE


def test_a_session_token_whose_end_nobody_knows_is_refused_with_both_ways_out(s3):
    with pytest.raises(AccessRefused, match=r"at a time that they do not tell.*image_links.*type aws.*expire_hours"):
        links(storage(s3, key="ASIA", secret="s", token="t"), 1).check()


def test_a_role_signs_only_links_that_end_before_it_does(s3):
    where = storage(s3, session=role(6))
    links(where, 5).check()
    with pytest.raises(AccessRefused, match=r"temporary credentials that end at \d{4}-"):
        links(where, 7).check()
    with pytest.raises(AccessRefused, match=r"Nothing was created or paid.*or set labels\.exam to null"):
        links(where, 5).check(until=NOW + timedelta(days=6))


def test_links_that_are_renewed_end_with_the_credentials_and_are_not_refused(s3):
    made = links(storage(s3, session=role(6)), 48)
    end = made.end(made.expires)
    assert end is not None
    assert timedelta(hours=5) < end - NOW < timedelta(hours=7)
    assert made.end(NOW + timedelta(hours=2)) == NOW + timedelta(hours=2)
    assert links(storage(s3, key="ASIA", secret="s", token="t"), 1).end(NOW) is None
    assert links(storage(s3, key="AKIA", secret="s"), 1).end(made.expires) == made.expires


def test_links_of_a_storage_by_a_role_are_signed_by_the_key_that_is_named(s3):
    where = storage(s3, session=role(1))
    where.write_bytes("incoming/a.jpg", PICTURE)
    made = links(where, 48, signer=storage(s3, bucket=where.root, key="AKIALONG", secret="s"))
    made.check()
    assert "AKIALONG" in made.link(IMAGE_ID, "incoming/a.jpg")
    assert httpx.get(made.link(IMAGE_ID, "incoming/a.jpg"), trust_env=False).content == PICTURE


def test_links_of_an_image_server_need_no_credentials(tmp_path):
    where = open_storage(f"file://{tmp_path}")
    where.write_bytes("incoming/a.jpg", PICTURE)
    made = links(where, 1000, server=ImageServer("http://127.0.0.1:1", "secret"))
    made.check()
    assert made.link(IMAGE_ID, "incoming/a.jpg").startswith("http://127.0.0.1:1/")


def test_a_link_ends_is_signed_and_tells_neither_the_images_class_nor_its_name(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    data = b"\xff\xd8\xffpicture"
    image_id = hashlib.sha256(data).hexdigest()
    storage.write_bytes("m/in/cat b'ü.HTML", data)
    links = ImageLinks(storage, "m/shown", NOW, NOW + timedelta(hours=1), ImageServer("http://h:1/", "s3cret"))
    expires = int((NOW + timedelta(hours=1)).timestamp())
    signature = sign(f"m/shown/{image_id}.jpg", expires, "s3cret")
    assert (
        links.link(image_id, "m/in/cat b'ü.HTML")
        == f"http://h:1/m/shown/{image_id}.jpg?expires={expires}&signature={signature}"
    )
    assert storage.read_bytes(f"m/shown/{image_id}.jpg") == data
    assert sign("k", 1, "s3cret") != sign("k", 1, "other")
    assert "s3cret" not in repr(links)


def test_file_storage_without_an_image_server_says_what_to_set(tmp_path):
    with pytest.raises(DriftwatchError, match=r"labels\.image_links"):
        ImageLinks(open_storage(f"file://{tmp_path}"), "m/shown", NOW, NOW).link("id1", "a.jpg")

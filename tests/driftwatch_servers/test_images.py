"""The image server over real HTTP: what it shows, and what it does not."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from urllib.parse import quote

import httpx
import pytest

from driftwatch.labels.links import sign
from driftwatch_servers.images import create_app
from driftwatch_servers.serving import running

SECRET = "not-so-secret"
HTTP = httpx.Client(timeout=10)
JPEG = b"\xff\xd8\xff\xe0 a photo"
NAMES = [
    "incoming/2026-01-02/cat.jpg",
    "two words.png",
    'it\'s "quoted".webp',
    "Kätzchen 猫.jpeg",
    "100%.jpg",
    "a+b&c=d#e?f.jpg",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("storage") / "root"
    for name in NAMES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(JPEG + name.encode())
    (folder.parent / "outside.jpg").write_bytes(JPEG)
    (folder / "linked.jpg").symlink_to(folder.parent / "outside.jpg")
    return folder


@pytest.fixture(scope="module")
def server(root):
    with running(create_app(root, SECRET)) as url:
        yield url


def link(server: str, key: str, expires: int | None = None, secret: str = SECRET) -> str:
    expires = int(time.time()) + 60 if expires is None else expires
    return f"{server}/{quote(key)}?expires={expires}&signature={sign(key, expires, secret)}"


@pytest.mark.parametrize("name", NAMES)
def test_a_link_signed_by_the_product_shows_the_file_whatever_its_name(server, name):
    answer = HTTP.get(link(server, name))
    assert answer.status_code == 200
    assert answer.content == JPEG + name.encode()
    assert answer.headers["content-type"] == "image/jpeg"


PAGE = b"<html><script>alert(1)</script>"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("evil.html", JPEG + PAGE, "image/jpeg"),
        ("evil.svg", b"\x89PNG\r\n\x1a\n" + PAGE, "image/png"),
        ("evil.js", b"RIFF\0\0\0\0WEBP" + PAGE, "image/webp"),
        ("page.jpg", PAGE, "application/octet-stream"),
        ("page.html", PAGE, "application/octet-stream"),
        ("empty.png", b"", "application/octet-stream"),
    ],
)
def test_what_a_browser_is_told_depends_on_the_bytes_and_it_runs_nothing_in_them(server, root, name, data, said):
    (root / name).write_bytes(data)
    answer = HTTP.get(link(server, name))
    assert answer.headers["content-type"] == said
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert {"default-src 'none'", "sandbox"} <= set(answer.headers["content-security-policy"].split("; "))
    assert ("attachment" in answer.headers.get("content-disposition", "")) == (said == "application/octet-stream")


def test_a_page_of_another_site_may_show_an_image_by_its_link_and_nothing_else(server, root):
    (root / "page.html").write_bytes(PAGE)
    assert HTTP.get(link(server, "linked.jpg")).headers["access-control-allow-origin"] == "*"
    for address in (link(server, "page.html"), f"{server}/linked.jpg"):
        assert "access-control-allow-origin" not in HTTP.get(address).headers


def test_a_symbolic_link_inside_the_root_is_followed(server):
    assert HTTP.get(link(server, "linked.jpg")).content == JPEG


def test_a_link_past_its_time_is_refused(server):
    assert HTTP.get(link(server, NAMES[0], int(time.time()) - 1)).status_code == 403


def test_a_link_signed_with_another_secret_is_refused(server):
    assert HTTP.get(link(server, NAMES[0], secret="other")).status_code == 403


def test_a_signature_is_good_for_its_own_key_and_time_only(server):
    good = link(server, NAMES[0])
    expires = int(good.split("expires=")[1].split("&")[0])
    assert HTTP.get(good.replace(quote(NAMES[0]), quote(NAMES[1]))).status_code == 403
    assert HTTP.get(good.replace(str(expires), str(expires + 9))).status_code == 403


@pytest.mark.parametrize("query", ["", "?expires=never&signature=00", "?signature=00", "?expires=99999999999"])
def test_a_link_without_a_proper_signature_is_refused(server, query):
    assert HTTP.get(f"{server}/{quote(NAMES[0])}{query}").status_code == 403


def test_an_unknown_key_is_not_found(server):
    assert HTTP.get(link(server, "incoming/none.jpg")).status_code == 404
    assert HTTP.get(link(server, "incoming")).status_code == 404


@pytest.mark.parametrize("key", ["../outside.jpg", "incoming/../../outside.jpg", "/etc/passwd", "a\0b.jpg"])
def test_a_key_never_leads_out_of_the_root_even_when_signed(server, key):
    path = quote(key).replace("..", "%2e%2e")
    expires = int(time.time()) + 60
    answer = HTTP.get(f"{server}/{path}?expires={expires}&signature={sign(key, expires, SECRET)}")
    assert answer.status_code == 404


def test_the_process_serves_until_it_is_told_to_stop(root):
    process = subprocess.Popen(
        [sys.executable, "-m", "driftwatch_servers.images", "--root", str(root)],
        env=os.environ | {"DRIFTWATCH_IMAGE_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = process.stdout.readline().removeprefix("listening on ").strip()
        content = HTTP.get(link(url, NAMES[0])).content
        assert hashlib.sha256(content).digest() == hashlib.sha256((root / NAMES[0]).read_bytes()).digest()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.stdout.close()


def test_without_a_secret_it_does_not_start(root):
    environment = {name: value for name, value in os.environ.items() if name != "DRIFTWATCH_IMAGE_SECRET"}
    command = [sys.executable, "-m", "driftwatch_servers.images", "--root", str(root)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode != 0
    assert "DRIFTWATCH_IMAGE_SECRET" in ended.stderr

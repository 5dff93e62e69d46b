"""The environment's proxies are used, and a certificate that nobody vouches for is refused with a remedy."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone

import pytest

from driftwatch.http import NoAnswer

from .scripted import answer


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_is_used(serve, connect, monkeypatch, variable, scheme):
    proxy = serve(answer(200, "by the proxy"))
    if variable == "HTTP_PROXY":
        monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.setenv(variable, scheme + proxy.url.removeprefix("http://"))
    assert connect("http://acme.invalid").get("/x").text == "by the proxy"
    assert proxy.heard[0].startswith(b"GET http://acme.invalid/x HTTP/1.1\r\n")


def test_no_proxy_goes_straight_to_the_host(serve, connect, monkeypatch):
    proxy, server = serve(answer(502)), serve(answer(200, "straight"))
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "acme.invalid, 127.0.0.1")
    assert connect(server.url).get("/x").text == "straight"
    assert proxy.heard == []


@pytest.fixture(scope="module")
def unknown_authority(tmp_path_factory) -> ssl.SSLContext:
    """The context of a server whose certificate it has signed itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "acme.invalid")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    certificate = builder.sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(private + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_certificate_that_is_not_trusted_is_not_tried_again_and_says_what_to_do(
    serve, connect, waits, unknown_authority
):
    server = serve(answer(200), context=unknown_authority)
    with pytest.raises(
        NoAnswer,
        match=r"not trusted here: name your authority's file in SSL_CERT_FILE, or correct the address in the Acme",
    ) as raised:
        connect(server.url).post("/x")
    assert (waits, server.heard, raised.value.uncertain) == ([], [], False)

"""What an answer that is no success becomes: the project's own errors, which name service, address and remedy."""

from __future__ import annotations

import pytest

from driftwatch.errors import AccessRefused, DriftwatchError, NeedsAttention, RequestRefused
from driftwatch.http import Service, ServiceError, error_of

from .scripted import TOKEN, answer

ACME = Service("Acme", "the Acme connection", (TOKEN,))


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (401, AccessRefused, "check the secret and the address in the Acme connection"),
        (407, AccessRefused, "check the secret and the address in the Acme connection"),
        (403, AccessRefused, "check what the account in the Acme connection may do"),
        (404, RequestRefused, "check that the address in the Acme connection is Acme's"),
        (422, RequestRefused, "check that the address in the Acme connection is Acme's"),
        (429, DriftwatchError, "it may pass: run the task again later"),
        (503, DriftwatchError, "it may pass: run the task again later"),
    ],
)
def test_each_status_has_its_class_and_its_remedy(serve, connect, status, kind, remedy):
    server = serve(answer(status, f"no,\n  {TOKEN} may not"))
    response = connect(server.url).get("/v1/things?signature=abc")
    error = error_of(response, ACME)

    assert isinstance(error, kind)
    assert isinstance(error, NeedsAttention) == (kind is not DriftwatchError)
    tries = " after 3 tries" if status in (429, 503) else ""
    assert str(error) == f"Acme answered {status} to GET /v1/things at {server.url}{tries}: no, *** may not; {remedy}"
    assert (error.status, error.uncertain) == (status, status == 503)


def test_a_caller_that_knows_better_says_what_to_do_about_a_wrong_request(serve, connect):
    said = [
        str(error_of(connect(serve(answer(status)).url, retries=0).get("/x"), ACME, "name another"))
        for status in (404, 401, 503)
    ]
    assert [text.endswith("; name another") for text in said] == [True, False, False]


def test_a_page_is_told_from_an_answer_of_the_service(serve, connect):
    page = answer(502, "<html>Bad gateway</html>", Content_Type="text/html")
    error = error_of(connect(serve(page).url, retries=0).get("/x"), ACME)
    assert type(error) is ServiceError
    assert "an HTML page, so probably from a proxy; it may pass" in str(error)


def test_an_empty_answer_is_said_to_be_one(serve, connect):
    assert "(empty body)" in str(error_of(connect(serve(answer(404)).url).get("/x"), ACME))

"""What an answer of WhyLabs, or none, becomes: an error that says what to check, as one sentence after the other."""

from __future__ import annotations

import httpx
import pytest

from driftwatch.errors import AccessRefused, NeedsAttention, RequestRefused
from driftwatch.http import CannotBeSent, NoAnswer, Tries
from driftwatch.http.answers import note_tries
from driftwatch.publish.errors import KeyAlreadyUsed
from driftwatch.publish.whylabs.errors import whylabs_error, without_answer

WHAT, CONNECTION = "GET /v0/x at https://api.example", "the Airflow connection whylabs_default"


def answered(status: int, message: str = "No such thing.", tries: int = 1, **more: str) -> httpx.Response:
    response = httpx.Response(status, json={"message": message, "requestId": "r-7", **more})
    note_tries(response, Tries(tries, uncertain=tries > 1))
    return response


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (400, RequestRefused, "tell the request id to WhyLabs' support"),
        (401, AccessRefused, f"check the API key: the password of {CONNECTION}"),
        (403, AccessRefused, f"check that the API key in {CONNECTION} belongs to the organisation"),
        (404, RequestRefused, "check the dataset id (publish.dataset in the monitor file)"),
        (418, None, f"check the address in {CONNECTION}"),
        (429, None, "try again later"),
        (500, None, "WhyLabs has a problem: try again later"),
    ],
)
def test_each_status_has_its_class_and_its_remedy(status, kind, remedy):
    error = whylabs_error(WHAT, answered(status), CONNECTION)
    assert isinstance(error, kind or Exception)
    assert isinstance(error, NeedsAttention) == (kind is not None)
    assert remedy in str(error)
    assert (error.status, error.request_id) == (status, "r-7")
    assert f"HTTP {status}; No such thing; request id r-7; " in str(error)


@pytest.mark.parametrize(("tries", "said"), [(1, "tried once"), (3, "tried 3 times")])
def test_what_may_pass_says_how_often_it_was_tried(tries, said):
    error = whylabs_error(WHAT, answered(503, tries=tries), CONNECTION)
    assert str(error).startswith(f"{WHAT}, {said}: HTTP 503; ")
    assert error.uncertain == (tries > 1)


def test_a_key_that_was_used_before_is_told_from_another_bad_request():
    said = "Failed Idempotent request: the key was used"
    assert isinstance(whylabs_error(WHAT, answered(400, said), CONNECTION), KeyAlreadyUsed)
    assert not isinstance(whylabs_error(WHAT, answered(400), CONNECTION), KeyAlreadyUsed)


def test_the_upload_url_has_a_hint_of_its_own_and_is_no_refusal_of_the_key():
    error = whylabs_error(
        "sending upload log-1", answered(403), CONNECTION, "running the task again asks for a new one"
    )
    assert str(error).endswith("; running the task again asks for a new one")
    assert not isinstance(error, NeedsAttention)


def test_no_answer_says_the_cause_the_remedy_and_whether_it_may_have_arrived():
    none = NoAnswer(
        "…", "ReadTimeout: timed out", 1, f"check the address in {CONNECTION} and the network", uncertain=True
    )
    error = without_answer(WHAT, none, 30)
    assert str(error) == (
        f"{WHAT}, tried once: ReadTimeout: timed out; check the address in {CONNECTION} and the network (the time limit is 30 s)"
    )
    assert error.uncertain


def test_what_cannot_be_sent_is_refused_with_what_the_transport_says():
    error = without_answer(WHAT, CannotBeSent("cannot be sent: check the secret"), 30)
    assert isinstance(error, RequestRefused)
    assert str(error) == "cannot be sent: check the secret"

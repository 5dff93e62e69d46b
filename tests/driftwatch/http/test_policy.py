"""What an answer asks to wait, what a connection says of limits, and what messages name of a request."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import httpx
import pytest

from driftwatch.credentials import Access
from driftwatch.errors import NeedsAttention
from driftwatch.http.policy import Call, Limits, call_of, host_of, is_temporary, limits_of, retry_after, target_of


def asking(header: str) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": header.encode("latin-1")})


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), (" 0 ", 0), ("", None), ("soon", None), ("-5", None), ("²", None)]
)
def test_retry_after_is_a_number_of_seconds(header, seconds):
    assert retry_after(asking(header)) == seconds


def test_retry_after_may_be_a_date_and_one_that_has_passed_asks_for_no_pause():
    now = datetime.now(timezone.utc)
    soon, past = (format_datetime(now + timedelta(seconds=number), usegmt=True) for number in (30, -30))
    assert 25 < (retry_after(asking(soon)) or 0) <= 30
    assert retry_after(asking(past)) == 0


def test_a_connections_extras_are_the_limits_and_the_services_default_stands_where_they_are_empty():
    assert limits_of(Access("c", "", "s", {"timeout": "5", "retries": 0}), 20) == Limits(5, 0)
    assert limits_of(Access("c", "", "s", {"timeout": "", "retries": None}), 20) == Limits(20, 4)
    with pytest.raises(
        NeedsAttention, match=r"timeout 'long' .*a number from 0 to 3600 is allowed; correct it under Admin"
    ):
        limits_of(Access("the Airflow connection c", "", "s", {"timeout": "long"}), 20)


@pytest.mark.parametrize(
    ("status", "passes"), [(200, False), (404, False), (408, True), (429, True), (500, True), (599, True)]
)
def test_which_answers_may_soon_be_others(status, passes):
    assert is_temporary(status) is passes


def test_a_message_names_the_path_without_its_query_or_what_stands_for_it():
    request = httpx.Request("PUT", "https://acme.example:8443/x?signature=abc")
    assert (target_of(request), host_of(request)) == ("PUT /x", "https://acme.example:8443")
    shown = httpx.Request("PUT", "https://acme.example/x?signature=abc", extensions=Call(shown="upload").extensions)
    assert target_of(shown) == "PUT upload"
    assert call_of(request) == Call()

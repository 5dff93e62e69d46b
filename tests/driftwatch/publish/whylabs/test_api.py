"""Our WhyLabs client against the stand-in, over real HTTP: the wire, the retries, and the errors."""

from __future__ import annotations

import socket
import threading
from datetime import date, datetime, timezone
from typing import Any

import pytest
from tests.whylabs_server import upload_profile, upload_reference

from driftwatch.errors import AccessRefused, NeedsAttention, RequestRefused
from driftwatch.http import Limits
from driftwatch.publish.whylabs.api import WhyLabsApi
from driftwatch.publish.whylabs.errors import WhyLabsError
from driftwatch_servers.serving import running

from ..days import DAY, FEATURES, PERFORMANCE, counted

KEY = "abcdefghij.very-secret"


def requests(server: Any, path: str) -> list[dict[str, Any]]:
    return [seen for seen in server.http.get("/_sandbox/requests").json() if seen["path"].startswith(path)]


def test_an_upload_counts_in_its_day_and_is_read_back(server):
    api = server.api()
    upload_id = upload_profile(api, FEATURES, DAY)
    upload_profile(api, PERFORMANCE, datetime(2026, 1, 2, 23, 59, tzinfo=timezone.utc))

    assert server.state()["days"]["2026-01-02"]["upload_ids"][0] == upload_id
    assert counted(server) == (40, 3)
    assert api.profile_count(DAY) == 2
    assert api.read_day(DAY, "classification.accuracy") == pytest.approx(2 / 3)
    assert api.read_day(DAY, "count", "image.entropy") == 40
    assert api.read_day(date(2026, 1, 3), "classification.accuracy") is None


def test_without_the_ledger_a_second_upload_doubles_the_counts(server):
    for _ in range(2):
        upload_profile(server.api(), FEATURES, DAY)

    assert counted(server) == (80, 0)


def test_a_reference_is_kept_under_its_name(server):
    reference_id = upload_reference(server.api(), "champion-3", FEATURES, DAY)

    (reference,) = server.state()["references"]
    assert (reference["id"], reference["alias"]) == (reference_id, "champion-3")


def test_the_requests_are_those_of_whylogs_own_writer(servers, monkeypatch):
    ours, theirs = servers(), servers()
    upload_profile(ours.api(), FEATURES, DAY)
    upload_reference(ours.api(), "r", FEATURES, DAY)
    monkeypatch.setenv("WHYLABS_API_ENDPOINT", theirs.url)
    from whylogs.api.whylabs.session import session_manager
    from whylogs.api.whylabs.session.whylabs_client_cache import WhylabsClientCache
    from whylogs.api.writer.whylabs import WhyLabsWriter

    from driftwatch.drift.whylogs_profiles import read_profile

    session_manager.SessionManager.reset()
    WhylabsClientCache.reset()
    writer = WhyLabsWriter(org_id="org-1", api_key=f"{KEY}:org-1", dataset_id="model-1")
    assert writer.write(read_profile(FEATURES))[0]
    assert writer.option(reference_profile_name="r").write(read_profile(FEATURES))[0]
    session_manager.SessionManager.reset()

    def seen(server: Any) -> list[tuple[str, str]]:
        return [(request["method"], request["path"]) for request in requests(server, "/")]

    assert seen(ours) == seen(theirs)
    days = [server.state()["days"]["2026-01-02"]["columns"] for server in (ours, theirs)]
    assert days[0] == days[1]


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("error_before", {"status": 503}),
        ("error_after_commit", {"status": 500}),
        ("drop_before", {}),
        ("drop_after", {}),
        ("rate_limit", {"seconds": 1}),
        ("html_502", {}),
        ("slow", {"seconds": 1.0}),
    ],
)
@pytest.mark.parametrize("path", ["/v1/log/async", "/upload/"])
def test_a_passing_failure_is_repeated_and_counts_once(server, path, fault, more):
    server.fault("POST" if path.startswith("/v1") else "PUT", path, fault, **more)

    upload_profile(server.api(timeout=0.5 if fault == "slow" else 5), FEATURES, DAY, key="k")

    assert counted(server) == (40, 0)
    assert len(requests(server, path)) == 2


def test_retry_after_is_waited_for(server):
    waits: list[float] = []
    server.fault("POST", "/v1/log/async", "rate_limit", seconds=7)
    upload_profile(server.api(sleep=waits.append), FEATURES, DAY)

    assert waits == [7]


def test_without_retry_after_the_waits_grow(server):
    waits: list[float] = []
    server.fault("POST", "/v1/log/async", "error_before", times=4)
    upload_profile(server.api(sleep=waits.append, backoff=1, retries=4), FEATURES, DAY)

    assert len(waits) == 4
    for wait, most in zip(waits, (1, 2, 4, 8), strict=True):
        assert most / 2 <= wait <= most


@pytest.mark.parametrize(
    ("change", "error", "status", "said"),
    [
        ({"api_key": "abcdefghij.wrong"}, AccessRefused, 401, "check the API key"),
        ({"organisation": "org-9"}, AccessRefused, 403, "belongs to the organisation"),
        ({"dataset": "model-9"}, RequestRefused, 404, "publish.dataset in the monitor file"),
    ],
)
def test_a_refusal_is_not_repeated_and_says_what_to_check(server, change, error, status, said):
    with pytest.raises(WhyLabsError, match=said) as raised:
        upload_reference(server.api(**change), "r", FEATURES, DAY)

    assert isinstance(raised.value, error)
    assert raised.value.status == status
    assert raised.value.request_id in str(raised.value)
    assert not raised.value.uncertain
    assert "wrong" not in str(raised.value)
    assert KEY not in str(raised.value)
    assert len(requests(server, "/v0/")) == 1


@pytest.mark.parametrize("status", [201, 204, 307, 403])
def test_a_put_that_does_not_answer_exactly_200_fails(server, status):
    server.fault("PUT", "/upload/", "error_before", status=status)

    with pytest.raises(
        WhyLabsError, match=f"sending upload log-00000001: HTTP {status}.*running the task again"
    ) as raised:
        upload_profile(server.api(), FEATURES, DAY)
    assert "signature" not in str(raised.value)
    assert len(requests(server, "/upload/")) == 1


def test_an_expired_upload_url_fails_with_its_reason(servers):
    server = servers(url_seconds=-1)

    with pytest.raises(WhyLabsError, match=r"Request has expired.*asks for a new one") as raised:
        upload_profile(server.api(), FEATURES, DAY)
    assert not raised.value.uncertain


def test_a_lasting_failure_ends_with_the_number_of_tries_and_the_reason(server):
    server.fault("POST", "/v1/log/async", "html_502", times=None)

    with pytest.raises(WhyLabsError, match="tried 3 times: HTTP 502; an HTML page, so probably from a proxy") as raised:
        upload_profile(server.api(retries=2), FEATURES, DAY)
    assert raised.value.uncertain
    assert len(requests(server, "/v1/log/async")) == 3


def test_a_server_that_never_answers_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        accepting = threading.Thread(target=lambda: [silent.accept() for _ in range(2)], daemon=True)
        accepting.start()
        api = WhyLabsApi(
            f"http://127.0.0.1:{silent.getsockname()[1]}",
            KEY,
            "org-1",
            "model-1",
            Limits(timeout=0.2, retries=1, backoff=0),
        )
        with pytest.raises(WhyLabsError, match=r"tried 2 times: .*time limit is 0.2 s"):
            upload_profile(api, FEATURES, DAY)
        accepting.join(2)


def test_nobody_listening_is_certain_not_to_have_arrived():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    api = WhyLabsApi(f"http://127.0.0.1:{port}", KEY, "org-1", "model-1", Limits(retries=1, backoff=0))

    with pytest.raises(WhyLabsError, match="check the address in the WhyLabs connection and the network") as raised:
        api.check()
    assert not raised.value.uncertain


def test_an_address_that_is_something_else_is_told(tmp_path):
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    other = FastAPI()
    other.add_api_route("/{path:path}", lambda path: PlainTextResponse("hello"), methods=["GET", "POST"])
    with (
        running(other) as url,
        pytest.raises(
            WhyLabsError, match="is not JSON; check that the address in the WhyLabs connection is WhyLabs' API"
        ),
    ):
        upload_profile(WhyLabsApi(url, KEY, "org-1", "model-1"), FEATURES, DAY)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("https://api", "", "org-1"), r"password \(API key\) of the WhyLabs connection"),
        (("https://api", "abcdefghij.x", ""), "set org_id"),
        (("api.whylabsapp.com", KEY, "org-1"), "must begin with https://"),
    ],
)
def test_an_incomplete_connection_is_refused_at_once(arguments, said):
    with pytest.raises(NeedsAttention, match=said):
        WhyLabsApi(*arguments)


def test_the_organisation_in_the_key_wins_and_the_key_is_not_shown():
    api = WhyLabsApi("https://api", f"{KEY}:org-7", "org-1")

    assert api.organisation == "org-7"
    assert KEY not in repr(api)
    with pytest.raises(NeedsAttention, match=r"publish\.dataset"):
        upload_profile(api, FEATURES, DAY)


def test_no_log_line_holds_the_key_or_the_upload_url(server, caplog):
    caplog.set_level("INFO")
    server.fault("PUT", "/upload/", "drop_after")
    upload_profile(server.api(), FEATURES, DAY)

    assert "try 1" in caplog.text
    assert KEY not in caplog.text
    assert "signature" not in caplog.text


def test_check_names_what_was_found(server):
    assert "org-1/model-1 is 'model-1'" in server.api().check()
    assert "2 dataset(s): model-1, model-2" in server.api(dataset=None).check()


def test_a_deletion_is_seen_to_be_pending_for_its_day_alone(servers):
    server = servers(delete_seconds=60)
    api = server.api()
    upload_profile(api, FEATURES, DAY)
    assert not api.deletion_pending(DAY)
    api.delete_day(DAY)

    assert api.deletion_pending(DAY)
    assert not api.deletion_pending(date(2026, 1, 1))
    assert not api.deletion_pending(date(2026, 1, 3))
    assert not server.api(dataset="model-2").deletion_pending(DAY)

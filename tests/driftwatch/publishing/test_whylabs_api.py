"""Our WhyLabs client against the stand-in, over real HTTP: the wire, the retries, the errors, and the ledger's promise."""

from __future__ import annotations

import hashlib
import itertools
import socket
import threading
from contextlib import ExitStack
from datetime import date, datetime, timedelta, timezone

import httpx
import numpy as np
import pandas as pd
import pytest

from driftwatch.errors import AccessRefused, NeedsAttention, RequestRefused
from driftwatch.profiling.whylogs_profiles import feature_profile, performance_profile
from driftwatch.publishing.errors import PublishConflict, PublishPending, SinkError
from driftwatch.publishing.publish import publish
from driftwatch.publishing.sinks import WhyLabsSink
from driftwatch.publishing.whylabs import WhyLabsApi
from driftwatch.publishing.whylabs_errors import WhyLabsError
from driftwatch.storage import Storage
from driftwatch_sandbox.serving import running
from driftwatch_sandbox.whylabs.app import create_app
from driftwatch_sandbox.whylabs.store import Settings

KEY = "abcdefghij.very-secret"
DAY = date(2026, 1, 2)
LEDGER = "cats/days/2026-01-02/published.json"


def features(rows: int, seed: int = 0) -> bytes:
    values = np.random.default_rng(seed).normal(100, 10, rows)
    return feature_profile(pd.DataFrame({"image.Brightness.mean": values}), DAY)


FEATURES, REVISED = features(40), features(50, seed=1)
PERFORMANCE = performance_profile(["cat", "dog", "dog"], ["cat", "dog", "cat"], [0.9, 0.8, 0.7], DAY)


class Server:
    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=10)

    def api(self, **more) -> WhyLabsApi:
        more = {"organisation": "org-1", "dataset": "model-1", "timeout": 5, "sleep": lambda seconds: None, **more}
        return WhyLabsApi(self.url, more.pop("api_key", KEY), **more)

    def fault(self, method: str, path: str, fault: str, times: int | None = 1, **more) -> None:
        body = {"method": method, "path_regex": path, "fault": fault, "times": times, **more}
        self.http.post("/_sandbox/faults", json=body).raise_for_status()

    def clear(self) -> None:
        self.http.delete("/_sandbox/faults").raise_for_status()

    def requests(self, path: str) -> list[dict]:
        return [seen for seen in self.http.get("/_sandbox/requests").json() if seen["path"].startswith(path)]

    def state(self) -> dict:
        return self.http.get("/_sandbox/state").raise_for_status().json()["datasets"]["model-1"]

    def counted(self, day: date = DAY) -> tuple[int, int]:
        """Images, and labelled samples, of the day."""
        return self.counts().get(day, (0, 0))

    def counts(self) -> dict[date, tuple[int, int]]:
        return {date.fromisoformat(day): self._count(found) for day, found in self.state()["days"].items()}

    @staticmethod
    def _count(day: dict) -> tuple[int, int]:
        images = day["columns"].get("image.Brightness.mean", {"count": 0})["count"]
        return images, sum(map(sum, day["confusion"]["counts"])) if day["confusion"] else 0


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Starts servers that last for the module, each with a new database."""
    with ExitStack() as stack:

        def start(**settings) -> Server:
            database = tmp_path_factory.mktemp("whylabs") / "w.db"
            app = create_app(str(database), Settings(api_key=KEY, datasets=("model-1", "model-2"), **settings))
            server = Server(stack.enter_context(running(app)))
            stack.enter_context(server.http)  # open connections would hold up the server's end
            return server

        yield start


@pytest.fixture
def server(servers) -> Server:
    return servers()


def test_an_upload_counts_in_its_day_and_is_read_back(server):
    api = server.api()
    upload_id = api.upload_profile(FEATURES, DAY)
    api.upload_profile(PERFORMANCE, datetime(2026, 1, 2, 23, 59, tzinfo=timezone.utc))

    assert server.state()["days"]["2026-01-02"]["upload_ids"][0] == upload_id
    assert server.counted() == (40, 3)
    assert api.profile_count(DAY) == 2
    assert api.read_day(DAY, "classification.accuracy") == pytest.approx(2 / 3)
    assert api.read_day(DAY, "count", "image.Brightness.mean") == 40
    assert api.read_day(date(2026, 1, 3), "classification.accuracy") is None


def test_without_the_ledger_a_second_upload_doubles_the_counts(server):
    for _ in range(2):
        server.api().upload_profile(FEATURES, DAY)

    assert server.counted() == (80, 0)


def test_a_reference_is_kept_under_its_name(server):
    reference_id = server.api().upload_reference("champion-3", FEATURES, DAY)

    (reference,) = server.state()["references"]
    assert (reference["id"], reference["alias"]) == (reference_id, "champion-3")


def test_the_requests_are_those_of_whylogs_own_writer(servers, monkeypatch):
    ours, theirs = servers(), servers()
    ours.api().upload_profile(FEATURES, DAY)
    ours.api().upload_reference("r", FEATURES, DAY)
    monkeypatch.setenv("WHYLABS_API_ENDPOINT", theirs.url)
    from whylogs.api.whylabs.session import session_manager
    from whylogs.api.whylabs.session.whylabs_client_cache import WhylabsClientCache
    from whylogs.api.writer.whylabs import WhyLabsWriter

    from driftwatch.profiling.whylogs_profiles import read_profile

    session_manager.SessionManager.reset()
    WhylabsClientCache.reset()
    writer = WhyLabsWriter(org_id="org-1", api_key=f"{KEY}:org-1", dataset_id="model-1")
    assert writer.write(read_profile(FEATURES))[0]
    assert writer.option(reference_profile_name="r").write(read_profile(FEATURES))[0]
    session_manager.SessionManager.reset()

    def seen(server: Server) -> list[tuple[str, str]]:
        return [(request["method"], request["path"]) for request in server.requests("/")]

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

    server.api(timeout=0.5 if fault == "slow" else 5).upload_profile(FEATURES, DAY, idempotency_key="k")

    assert server.counted() == (40, 0)
    assert len(server.requests(path)) == 2


def test_retry_after_is_waited_for(server):
    waits: list[float] = []
    server.fault("POST", "/v1/log/async", "rate_limit", seconds=7)
    server.api(sleep=waits.append).upload_profile(FEATURES, DAY)

    assert waits == [7]


def test_without_retry_after_the_waits_grow(server):
    waits: list[float] = []
    server.fault("POST", "/v1/log/async", "error_before", times=4)
    server.api(sleep=waits.append, backoff=1, retries=4).upload_profile(FEATURES, DAY)

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
        server.api(**change).upload_reference("r", FEATURES, DAY)

    assert isinstance(raised.value, error)
    assert raised.value.status == status
    assert raised.value.request_id in str(raised.value)
    assert not raised.value.uncertain
    assert "wrong" not in str(raised.value)
    assert KEY not in str(raised.value)
    assert len(server.requests("/v0/")) == 1


@pytest.mark.parametrize("status", [201, 204, 307, 403])
def test_a_put_that_does_not_answer_exactly_200_fails(server, status):
    server.fault("PUT", "/upload/", "error_before", status=status)

    with pytest.raises(
        WhyLabsError, match=f"sending upload log-00000001: HTTP {status}.*running the task again"
    ) as raised:
        server.api().upload_profile(FEATURES, DAY)
    assert "signature" not in str(raised.value)
    assert len(server.requests("/upload/")) == 1


def test_an_expired_upload_url_fails_with_its_reason(servers):
    server = servers(url_seconds=-1)

    with pytest.raises(WhyLabsError, match=r"Request has expired.*asks for a new one") as raised:
        server.api().upload_profile(FEATURES, DAY)
    assert not raised.value.uncertain


def test_a_lasting_failure_ends_with_the_number_of_tries_and_the_reason(server):
    server.fault("POST", "/v1/log/async", "html_502", times=None)

    with pytest.raises(WhyLabsError, match="tried 3 times: HTTP 502; an HTML page, so probably from a proxy") as raised:
        server.api(retries=2).upload_profile(FEATURES, DAY)
    assert raised.value.uncertain
    assert len(server.requests("/v1/log/async")) == 3


def test_a_server_that_never_answers_is_given_up():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        accepting = threading.Thread(target=lambda: [silent.accept() for _ in range(2)], daemon=True)
        accepting.start()
        api = WhyLabsApi(
            f"http://127.0.0.1:{silent.getsockname()[1]}", KEY, "org-1", "model-1", timeout=0.2, retries=1, backoff=0
        )
        with pytest.raises(WhyLabsError, match=r"tried 2 times: .*time limit is 0.2 s"):
            api.upload_profile(FEATURES, DAY)
        accepting.join(2)


def test_nobody_listening_is_certain_not_to_have_arrived():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    api = WhyLabsApi(f"http://127.0.0.1:{port}", KEY, "org-1", "model-1", retries=1, backoff=0)

    with pytest.raises(WhyLabsError, match="check the address in the WhyLabs connection and the network") as raised:
        api.check()
    assert not raised.value.uncertain


def test_an_address_that_is_something_else_is_told(tmp_path):
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    other = FastAPI()
    other.add_api_route("/{path:path}", lambda path: PlainTextResponse("hello"), methods=["GET", "POST"])
    with running(other) as url, pytest.raises(WhyLabsError, match="is not JSON; is this address WhyLabs' API"):
        WhyLabsApi(url, KEY, "org-1", "model-1").upload_profile(FEATURES, DAY)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("https://api", "", "org-1"), "password of the WhyLabs connection"),
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
        api.upload_profile(FEATURES, DAY)


def test_no_log_line_holds_the_key_or_the_upload_url(server, caplog):
    caplog.set_level("INFO")
    server.fault("PUT", "/upload/", "drop_after")
    server.api().upload_profile(FEATURES, DAY)

    assert "try 1" in caplog.text
    assert KEY not in caplog.text
    assert "signature" not in caplog.text


def test_check_names_what_was_found(server):
    assert "org-1/model-1 is 'model-1'" in server.api().check()
    assert "2 dataset(s): model-1, model-2" in server.api(dataset=None).check()


def test_a_deletion_is_seen_to_be_pending_for_its_day_alone(servers):
    server = servers(delete_seconds=60)
    api = server.api()
    api.upload_profile(FEATURES, DAY)
    assert not api.deletion_pending(DAY)
    api.delete_day(DAY)

    assert api.deletion_pending(DAY)
    assert not api.deletion_pending(date(2026, 1, 1))
    assert not api.deletion_pending(date(2026, 1, 3))
    assert not server.api(dataset="model-2").deletion_pending(DAY)


def send(storage: Storage, sink: WhyLabsSink, payload: bytes, kind: str, revise: bool = False, day: date = DAY):
    content_hash = hashlib.sha256(payload).hexdigest()
    ledger = f"cats/days/{day}/published.json"
    return publish(storage, ledger, sink, kind, day, payload, content_hash, revise, sleep=lambda seconds: None)


def test_the_ledger_over_http_skips_refuses_and_revises(server, tmp_path):
    storage, sink = Storage(f"file://{tmp_path}"), WhyLabsSink(server.api())
    states = [send(storage, sink, payload, "features").state for payload in (FEATURES, FEATURES)]
    send(storage, sink, PERFORMANCE, "performance")
    with pytest.raises(PublishConflict):
        send(storage, sink, REVISED, "features")
    before = server.counted()
    revised = send(storage, sink, REVISED, "features", revise=True)

    assert states == ["uploaded", "skipped"]
    assert before == (40, 3)
    assert (revised.state, revised.revision) == ("revised", 2)
    assert server.counted() == (50, 3)


def test_a_revision_waits_until_the_day_is_gone(servers, tmp_path):
    import time

    server = servers(delete_seconds=0.5)
    storage, sink = Storage(f"file://{tmp_path}"), WhyLabsSink(server.api(), delete_wait_seconds=60)
    send(storage, sink, FEATURES, "features")
    content_hash = hashlib.sha256(REVISED).hexdigest()
    publish(storage, LEDGER, sink, "features", DAY, REVISED, content_hash, True, sleep=lambda seconds: time.sleep(0.1))

    assert server.counted() == (50, 0)


CALLS = {
    "reserve": ("POST", "/v1/log/async"),
    "send": ("PUT", "/upload/"),
    "delete": ("DELETE", "/dataset-profiles/"),
    "deletions": ("GET", "/delete-requests/"),
    "count": ("POST", "/metric-timeseries"),
}
FAULTS = [
    ("error_before", {"status": 500}),
    ("error_before", {"status": 403}),
    ("error_after_commit", {"status": 500}),
    ("drop_before", {}),
    ("drop_after", {}),
    ("rate_limit", {"seconds": 1}),
    ("html_502", {}),
]
STEPS = [(FEATURES, "features", False), (PERFORMANCE, "performance", False), (REVISED, "features", True)]


@pytest.mark.parametrize("idempotency", ["replay", "refuse"])
@pytest.mark.parametrize("call", CALLS)
def test_every_fault_at_every_call_ends_with_the_same_counts(servers, tmp_path, call, idempotency):
    server, storage = servers(idempotency=idempotency), Storage(f"file://{tmp_path}")
    cases = [
        (DAY + timedelta(n), *case) for n, case in enumerate(itertools.product(FAULTS, ((1, 0), (2, 1), (None, 0))))
    ]
    for day, (fault, more), (times, retries) in cases:
        sink = WhyLabsSink(server.api(retries=retries), delete_wait_seconds=0)
        server.fault(*CALLS[call], fault, times=times, **more)
        for step in STEPS:
            for _ in range(3):  # Airflow's retries
                try:
                    send(storage, sink, *step, day=day)
                    break
                except (SinkError, PublishPending) as error:
                    reason = str(error)
            else:
                assert times is None
                assert any(word in reason for word in ("HTTP 4", "HTTP 5", "network")), reason
                server.clear()
                send(storage, sink, *step, day=day)
        server.clear()

    counts = server.counts()
    assert [case for case in cases if counts.get(case[0]) != (50, 3)] == []

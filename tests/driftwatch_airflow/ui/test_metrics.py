"""/driftwatch/metrics: who gets whose numbers, and what a storage that cannot be read hides."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import HTTPException

from driftwatch_airflow.ui import metrics
from driftwatch_airflow.ui.metrics import TOKEN_VARIABLE

TOKEN = "a-token-of-the-scraper"
OURS, THEIRS = 'driftwatch_monitor_readable{monitor="ours"} 1', 'driftwatch_monitor_readable{monitor="theirs"} 1'


@pytest.fixture
def login(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow knows whoever sends `Bearer somebody`, as its own dependency does."""

    async def known(request: Any, _: None, bearer: Any) -> str:
        if bearer is None or bearer.credentials != "somebody":
            raise HTTPException(401, "Not authenticated")
        return "somebody"

    monkeypatch.setattr(metrics, "get_user", known)
    monkeypatch.delitem(client.app.dependency_overrides, get_user)


def ask(client: Any, token: str | None) -> Any:
    return client.get("/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})


def test_the_own_token_sees_all_monitors_a_user_those_of_their_role_and_nobody_else_any(
    client: Any, login: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    scraped = ask(client, TOKEN)
    assert scraped.status_code == 200
    assert scraped.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert OURS in scraped.text
    assert THEIRS in scraped.text
    seen = ask(client, "somebody").text
    assert (OURS in seen, THEIRS in seen) == (True, False)
    for token in (None, "another-token", ""):
        assert ask(client, token).status_code == 401


def test_without_a_token_of_its_own_an_empty_one_opens_nothing_and_a_short_one_neither(
    client: Any, login: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    assert ask(client, TOKEN).status_code == 401
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    assert ask(client, "short").status_code == 403


def test_airflows_own_dependency_refuses_who_is_not_logged_in(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(client.app.dependency_overrides, get_user)
    assert ask(client, None).status_code == 401


def test_a_storage_that_cannot_be_read_hides_no_other(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    given = metrics.samples_now

    def broken(store: Any, find: Any, now: Any) -> Any:
        if store.config.name == "theirs":
            raise OSError("gone")
        return given(store, find, now)

    monkeypatch.setattr(metrics, "samples_now", broken)
    text = ask(client, TOKEN).text
    assert OURS in text
    assert THEIRS.replace("} 1", "} 0") in text
    assert 'driftwatch_label_budget_usd{monitor="ours",period="day"} 20' in text
    assert 'driftwatch_label_budget_usd{monitor="theirs"' not in text

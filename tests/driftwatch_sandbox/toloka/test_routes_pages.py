"""The page of a pool, to which the links in Airflow and in alerts lead."""

from __future__ import annotations

import httpx


def test_a_pools_link_leads_to_its_state_without_a_login(market) -> None:
    project = market.project(public_name="Cat & <b>dog</b>?")
    pool = market.pool(project.id)
    shown = httpx.get(f"{market.url}/requester/project/{project.id}/pool/{pool.id}", timeout=10)
    assert shown.status_code == 200
    assert "Cat &amp; &lt;b&gt;dog" in shown.text
    assert f"({pool.id})" in shown.text
    assert "<td>closed" in shown.text
    other = market.project()
    for path in (f"project/{other.id}/pool/{pool.id}", f"project/{project.id}/pool/none"):
        assert httpx.get(f"{market.url}/requester/{path}", timeout=10).status_code == 404

"""In place of Toloka's own web site: the page of a pool. Links in Airflow and in alerts lead to it. It only shows states."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from driftwatch_sandbox.toloka.context import Box
from driftwatch_sandbox.toloka.errors import not_found

router = APIRouter()

_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:2em auto;padding:0 1em}"
    "td{padding:3px 24px 3px 0;vertical-align:top}td:first-child{opacity:.7}"
)


@router.get("/requester/project/{project_id}/pool/{pool_id}")
def pool_page(project_id: str, pool_id: str, box: Box) -> HTMLResponse:
    pool = box.exchange.pool(pool_id)
    project = box.store.get("projects", project_id)
    if project is None or pool["project_id"] != project_id:
        raise not_found("pool", pool_id)
    pages = Counter(page["status"].lower() for page in box.store.find("assignments", [("pool_id", "=", pool_id)]))
    rows = {
        "Project": project["public_name"],
        "Pool": f"{pool['private_name']} ({pool_id})",
        "Status": pool["status"].lower()
        + (f", {pool['last_close_reason'].lower()}" if pool.get("last_close_reason") else ""),
        "Expires": pool["will_expire"],
        "Pages": ", ".join(f"{n} {status}" for status, n in sorted(pages.items())) or "none taken yet",
    }
    table = Markup("").join(
        Markup("<tr><td>{}</td><td>{}</td></tr>").format(name, value) for name, value in rows.items()
    )
    return HTMLResponse(
        Markup(
            "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{}</title>"
        ).format(rows["Pool"])
        + Markup(f"<style>{_STYLE}</style><h1>")  # noqa: S704 - this file's own
        + escape(rows["Pool"])
        + Markup("</h1><p>The stand-in for Toloka: what its web site would show of this pool.</p><table>")
        + table
        + Markup("</table></html>"),
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )

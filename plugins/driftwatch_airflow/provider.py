"""Registers the connection types `toloka`, `label_studio`, `driftwatch_desk` and `whylabs` with Airflow. Every Airflow process imports this file: keep it
light.

The dicts are in Airflow's own form (provider_info.schema.json), so no type of ours stands for them.
"""

from __future__ import annotations

from typing import Any


def _text(label: str, description: str, default: str | None = None) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], "default": default},
    }


def _number(label: str, description: str, default: float) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["number", "null"], "default": default, "exclusiveMinimum": 0},
    }


_REPEATS = _number(
    "Repeats", "How often a request is sent again that failed for a moment (429, 5xx, dropped connection).", 4
)


def _connection_type(
    kind: str, name: str, hook: str, secret: str, address: str, fields: dict[str, Any]
) -> dict[str, Any]:
    """A connection type whose form asks for the address and a secret, and for `fields`."""
    return {
        "connection-type": kind,
        "hook-name": name,
        "hook-class-name": hook,
        "ui-field-behaviour": {
            "hidden-fields": ["port", "schema", "login"],
            "relabeling": {"host": "API address", "password": secret},
            "placeholders": {"host": address},
        },
        "conn-fields": fields,
    }


_TOLOKA = _connection_type(
    "toloka",
    "Toloka",
    "driftwatch_airflow.hooks.toloka.TolokaHook",
    "OAuth token or API key",
    "https://toloka.dev (production) or https://sandbox.toloka.dev",
    {
        "timeout": _number("Timeout in seconds", "How long one request may take.", 20),
        "retries": _REPEATS,
        "platform_url": _text(
            "Web address", "Where people look at pools. Empty: the web address that belongs to the API."
        ),
    },
)
_DESK = _connection_type(
    "driftwatch_desk",
    "Driftwatch desk",
    "driftwatch_airflow.hooks.desk.DeskHook",
    "API token",
    "https://labels.example.org",
    {
        "timeout": _number("Timeout in seconds", "How long one request may take.", 30),
        "retries": _REPEATS,
        "page_url": _text("Web address", "Where people open the labelling page. Empty: the API address."),
    },
)
_LABEL_STUDIO = _connection_type(
    "label_studio",
    "Label Studio",
    "driftwatch_airflow.hooks.label_studio.LabelStudioHook",
    "Token (personal access or legacy)",
    "https://labels.example.org",
    {"timeout": _number("Timeout in seconds", "How long one request may take.", 60), "retries": _REPEATS},
)
_WHYLABS = _connection_type(
    "whylabs",
    "WhyLabs",
    "driftwatch_airflow.hooks.whylabs.WhyLabsHook",
    "API key",
    "https://api.whylabsapp.com",
    {
        "org_id": _text("Organisation", "Such as org-1. Leave it empty if the API key ends in :org-id."),
        "hub_url": _text(
            "Web address", "Where people look at profiles. Empty: the web address that belongs to the API."
        ),
        "timeout": _number("Timeout in seconds", "How long one request may take.", 30),
        "retries": _REPEATS,
    },
)


def get_provider_info() -> dict[str, Any]:
    """What Airflow's provider manager reads (schema: provider_info.schema.json)."""
    return {
        "package-name": "driftwatch",
        "name": "Driftwatch",
        "description": "Watches production image classifiers.",
        "connection-types": [_TOLOKA, _LABEL_STUDIO, _DESK, _WHYLABS],
    }

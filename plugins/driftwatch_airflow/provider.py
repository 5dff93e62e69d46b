"""Registers the connection types `toloka` and `whylabs` with Airflow. Imported by every airflow process: keep it bare."""

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


def get_provider_info() -> dict[str, Any]:
    """What Airflow's provider manager reads (schema: provider_info.schema.json)."""
    hidden = ["port", "schema", "login"]
    return {
        "package-name": "driftwatch",
        "name": "Driftwatch",
        "description": "Watches production image classifiers.",
        "connection-types": [
            {
                "connection-type": "toloka",
                "hook-name": "Toloka",
                "hook-class-name": "driftwatch_airflow.hooks.toloka.TolokaHook",
                "ui-field-behaviour": {
                    "hidden-fields": hidden,
                    "relabeling": {"host": "API address", "password": "OAuth token or API key"},
                    "placeholders": {"host": "https://toloka.dev (production) or https://sandbox.toloka.dev"},
                },
                "conn-fields": {
                    "timeout": _number("Timeout in seconds", "For each request.", 20),
                    "retries": _number(
                        "Repeats", "Of a request that failed in passing (429, 5xx, dropped connection).", 4
                    ),
                    "platform_url": _text(
                        "Web address", "Where people see pools; empty: the one that belongs to the API."
                    ),
                },
            },
            {
                "connection-type": "whylabs",
                "hook-name": "WhyLabs",
                "hook-class-name": "driftwatch_airflow.hooks.whylabs.WhyLabsHook",
                "ui-field-behaviour": {
                    "hidden-fields": hidden,
                    "relabeling": {"host": "API address", "password": "API key"},
                    "placeholders": {"host": "https://api.whylabsapp.com"},
                },
                "conn-fields": {
                    "org_id": _text("Organisation", "Like org-1; empty where the API key ends in :org-id."),
                    "hub_url": _text(
                        "Web address", "Where people see profiles; empty: the one that belongs to the API."
                    ),
                    "timeout": _number("Timeout in seconds", "For each request.", 30),
                    "retries": _number(
                        "Repeats", "Of a request that failed in passing (429, 5xx, dropped connection).", 4
                    ),
                },
            },
        ],
    }

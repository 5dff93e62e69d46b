"""A project's Template Builder view, read into what the page draws. https://toloka.ai/docs/template-builder/"""

from __future__ import annotations

import json
from typing import Any

from driftwatch_sandbox.toloka.store import Document


class UnknownComponent(ValueError):
    """The view has a component that the page does not draw."""


def read_view(project: Document) -> dict[str, Any]:
    """`parts` from top to bottom, `keys` by key name, `skip`, whether a page may be given back.

    Drawn are view.list, view.image, view.text, field.button-radio-group with condition.required, plugin.hotkeys with action.set;
    anything else raises UnknownComponent with its name.
    """
    spec = project["task_spec"]["view_spec"]
    if spec.get("type") != "tb":
        raise UnknownComponent(f"view_spec.type {spec.get('type')!r}: only Template Builder views ('tb') are drawn")
    config = spec["config"] if isinstance(spec["config"], dict) else json.loads(spec["config"])
    keys: dict[str, Any] = {}
    for plugin in config.get("plugins") or []:
        if plugin.get("type") != "plugin.hotkeys":
            raise UnknownComponent(f"{plugin.get('type')} is not drawn")
        for name, action in plugin.items():
            if name.startswith("key_") or len(name) == 1:
                if action.get("type") != "action.set":
                    raise UnknownComponent(f"{action.get('type')} of {name} is not drawn")
                keys[name.removeprefix("key_")] = {"field": _path(action["data"], "output"), "value": action["payload"]}
    return {
        "parts": _parts(config["view"]),
        "keys": keys,
        "skip": bool((spec.get("settings") or {}).get("showSkip", True)),
    }


def _parts(view: Document) -> list[dict[str, Any]]:
    kind = view.get("type")
    if kind == "view.list":
        return [part for item in view["items"] for part in _parts(item)]
    if kind == "view.image":
        return [{"kind": "image", "field": _path(view["url"], "input")}]
    if kind == "view.text":
        return [{"kind": "text", "text": view["content"]}]
    if kind == "field.button-radio-group":
        condition = view.get("validation") or {}
        if condition and condition.get("type") != "condition.required":
            raise UnknownComponent(f"{condition.get('type')} is not drawn")
        options = [
            {"value": option["value"], "label": option.get("label", option["value"])} for option in view["options"]
        ]
        return [
            {"kind": "choice", "field": _path(view["data"], "output"), "label": view.get("label") or "", "options": options, "hint": condition.get("hint") or ""}
        ]  # fmt: skip
    raise UnknownComponent(f"{kind} is not drawn")


def _path(data: Any, source: str) -> str:
    if not isinstance(data, dict) or data.get("type") != f"data.{source}":
        raise UnknownComponent(f"{data!r} where data.{source} is expected is not drawn")
    return str(data["path"])

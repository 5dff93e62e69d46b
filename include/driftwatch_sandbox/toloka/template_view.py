"""Reads a project's Template Builder view into the parts that the labelling page draws. https://toloka.ai/docs/template-builder/"""

from __future__ import annotations

import json
from typing import Any

from driftwatch.labels.backends.toloka.project import UNCLEAR_HINT
from driftwatch.labels.hotkeys import hotkeys
from driftwatch_sandbox.toloka.store import Document
from driftwatch_servers.labelling.source import ChoicePart, ImagePart, Option, Shortcut, TextPart, View


class UnknownComponent(ValueError):
    """The view has a component that the page does not draw."""


def read_view(project: Document) -> View:
    """The page draws view.list, view.image, view.text, field.button-radio-group with condition.required, and plugin.hotkeys with
    action.set. Anything else raises UnknownComponent with its name.
    """
    spec = project["task_spec"]["view_spec"]
    if spec.get("type") != "tb":
        raise UnknownComponent(f"view_spec.type {spec.get('type')!r}: only Template Builder views ('tb') are drawn")
    config = spec["config"] if isinstance(spec["config"], dict) else json.loads(spec["config"])
    skip = bool((spec.get("settings") or {}).get("showSkip", True))
    parts, keys = _parts(config["view"]), _keys(config.get("plugins") or [])
    choices = [part for part in parts if isinstance(part, ChoicePart)]
    if len(choices) == 1 and len(keys) < len(choices[0].options):  # Toloka has single keys only
        keys = _keys_of(choices[0])
    return View(parts, keys, skip)


def _keys_of(choice: ChoicePart) -> dict[str, Shortcut]:
    """A key for each answer, also where there are more answers than single keys."""
    unclear = choice.unclear if isinstance(choice.unclear, str) else None
    texts = [option.value for option in choice.options if isinstance(option.value, str) and option.value != unclear]
    given = hotkeys(texts, unclear)
    return {key: Shortcut(choice.field, value) for value, key in given.items()}


def _keys(plugins: list[Document]) -> dict[str, Shortcut]:
    keys: dict[str, Shortcut] = {}
    for plugin in plugins:
        if plugin.get("type") != "plugin.hotkeys":
            raise UnknownComponent(f"{plugin.get('type')} is not drawn")
        for name, action in plugin.items():
            if name.startswith("key_") or len(name) == 1:
                if action.get("type") != "action.set":
                    raise UnknownComponent(f"{action.get('type')} of {name} is not drawn")
                keys[name.removeprefix("key_")] = Shortcut(_path(action["data"], "output"), action["payload"])
    return keys


def _parts(view: Document) -> list[ImagePart | TextPart | ChoicePart]:
    kind = view.get("type")
    if kind == "view.list":
        return [part for item in view["items"] for part in _parts(item)]
    if kind == "view.image":
        return [ImagePart(_path(view["url"], "input"))]
    if kind == "view.text":
        return [TextPart(view["content"])]
    if kind == "field.button-radio-group":
        return [_choice(view)]
    raise UnknownComponent(f"{kind} is not drawn")


def _choice(view: Document) -> ChoicePart:
    condition = view.get("validation") or {}
    if condition and condition.get("type") != "condition.required":
        raise UnknownComponent(f"{condition.get('type')} is not drawn")
    options = [Option(option["value"], str(option.get("label", option["value"]))) for option in view["options"]]
    unclear = next((option["value"] for option in view["options"] if option.get("hint") == UNCLEAR_HINT), None)
    field, label = _path(view["data"], "output"), view.get("label") or ""
    return ChoicePart(field, label, options, condition.get("hint") or "", unclear)


def _path(data: Any, source: str) -> str:
    if not isinstance(data, dict) or data.get("type") != f"data.{source}":
        raise UnknownComponent(f"{data!r} where data.{source} is expected is not drawn")
    return str(data["path"])

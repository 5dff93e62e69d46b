"""Champion and challenger side by side, in Markdown, for the person who decides about a promotion."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from driftwatch.artifacts.keys import GATE, own_key
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import ChangedImage
from driftwatch.models.gate import CLEAN, RECENT, ROLES
from driftwatch.models.metrics import top_confusions
from driftwatch.view.confusions import MOST_CLASSES, MOST_PAIRS

logger = logging.getLogger(__name__)

_TITLES = {RECENT: "Recent days, where it must be better", CLEAN: "Clean images, where it must not be worse"}
_EXAMPLES = 6
_SHOWN = 0.05  # p-values of a class alone that are shown; the gate looks at all classes together


def comparison(
    store: MonitorStore,
    run_key: str,
    link: Callable[[str, str], str] | None = None,
) -> str:
    """The gate's numbers, confusion matrices, what the challenger was trained on, and example images that changed.

    `link(image_id, key)` gives an address at which the reader's browser gets an image; without it images are named by id.
    """
    from driftwatch.models import registry

    gate = store.storage.read_json(store.keys.retraining(run_key, GATE))
    card = registry.card(store, gate["version"])
    data, recipe = card["data"], card["recipe"]
    damage = data.get("damage") or {}
    lines = [
        f"**{gate['version']}** against the champion **{gate['champion']}**. Asked for by: {card['created_by']}.",
        "",
        f"Trained on {data['images']} images, {data['new_labels']} of them labelled in {data.get('first_day')} to "
        f"{data.get('last_day')}; {recipe['name']}, {len(card['history'])} epochs; imitated damage: "
        f"{damage.get('kind', 'none')}.",
        "",
        *[f"- {reason}" for reason in gate["reasons"]],
    ]
    for part in (RECENT, CLEAN):
        days = gate["recent_days" if part == RECENT else "clean_days"]
        where = ["the original holdout"] if part == CLEAN else []
        lines += [
            "",
            f"### {_TITLES[part]}",
            f"From {', '.join([*where, *days])}.",
            "",
            *_table(gate[part], store.config.classes),
        ]
        for role in ROLES:
            what = (
                "confused most often" if len(store.config.classes) > MOST_CLASSES else "images by true class and answer"
            )
            lines += ["", f"{role.capitalize()}, {what}:", "", *_confusion(gate[part][role])]
    return "\n".join([*lines, *_examples(store, gate, link)])


def _table(found: Mapping[str, Any], classes: tuple[str, ...]) -> list[str]:
    rows = ["| | images | champion | challenger | difference, at least |", "|---|---|---|---|---|"]
    rows.append(_row("accuracy", found, *(found[role]["accuracy"] for role in ROLES)))
    for name in classes:
        shares = [found[role]["classes"][name]["recall"] for role in ROLES]
        rows.append(_row(f"recall {name}", found.get("by_class", {}).get(name), *shares))
    return rows


def _row(
    name: str, paired: Mapping[str, Any] | None, champion: Mapping[str, Any], challenger: Mapping[str, Any]
) -> str:
    change = "" if not paired or paired["n"] == 0 else f"{paired['difference']:+.1%}, {paired['low']:+.1%}"
    if change and paired and paired.get("p_value_worse", 1) <= _SHOWN:
        change += f"; so large a loss by chance: p = {paired['p_value_worse']:.2g}"
    return f"| {name} | {champion['n']} | {_share(champion)} | {_share(challenger)} | {change} |"


def _share(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return "none"
    return f"{found['value']:.1%} ({found['low']:.1%} to {found['high']:.1%})"


def _confusion(metrics: Mapping[str, Any]) -> list[str]:
    """The matrix, what never happened left blank; of many classes the pairs that were confused most often."""
    matrix = metrics["confusion_matrix"]
    labels = matrix["labels"]
    if len(labels) > MOST_CLASSES:
        pairs = top_confusions(matrix, MOST_PAIRS)
        rows = [f"| {truth} | {answer} | {n} | {share:.0%} |" for truth, answer, n, share in pairs]
        return ["| true class | answer | images | of the class |", "|---|---|---|---|", *rows]
    rows = [f"| true class | {' | '.join(labels)} |", "|---|" + "---|" * len(labels)]
    return rows + [
        f"| {name} | {' | '.join(str(n or '') for n in row)} |"
        for name, row in zip(labels, matrix["rows"], strict=True)
    ]


def _picture(link: Callable[[str, str], str] | None, image_id: str, key: str) -> str:
    """An image by its id alone where it cannot be shown, as after its file was replaced."""
    try:
        return f"![{image_id[:12]}]({link(image_id, key)})" if link else image_id[:12]
    except ChangedImage as error:
        logger.warning("%s", error)
        return image_id[:12]


def _examples(store: MonitorStore, gate: Mapping[str, Any], link: Callable[[str, str], str] | None) -> list[str]:
    table = store.storage.read_table(store.keys.model_evaluation(gate["version"])).set_index("image_id")
    lines = []
    for kind, title in (("repaired", "Now right"), ("broken", "Now wrong")):
        ids = [image_id for part in (RECENT, CLEAN) for image_id in gate[part][kind][:_EXAMPLES]]
        if not ids:
            continue
        lines += [
            "",
            f"### {title}",
            "",
            "| image | true class | champion | challenger | from |",
            "|---|---|---|---|---|",
        ]
        for image_id in ids:
            row = table.loc[image_id]
            picture = _picture(link, str(image_id), own_key(store.keys.monitor, row["key"]))
            where = row["day"] or "original holdout"
            lines.append(f"| {picture} | {row['label']} | {row['champion']} | {row['challenger']} | {where} |")
    return lines

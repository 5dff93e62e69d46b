"""Champion and challenger side by side, in Markdown, for the person who decides about a promotion."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date

from driftwatch.artifacts.accuracy import ConfusionMatrix
from driftwatch.artifacts.keys import GATE, own_key
from driftwatch.artifacts.models import ImportedRecipe
from driftwatch.artifacts.parts import Share
from driftwatch.artifacts.retraining import ClassComparison, CleanPart, GatePart, GateResult, PairedComparison
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import ChangedImage
from driftwatch.models.metrics import top_confusions
from driftwatch.view.confusions import MOST_CLASSES, MOST_PAIRS
from driftwatch.view.gate_segments import gate_segment_rows, worse_segments_line
from driftwatch.view.gate_table import levels
from driftwatch.view.numbers import p_text
from driftwatch.view.shares import change_text, share_with_ends, whole_percent

logger = logging.getLogger(__name__)

_RECENT, _CLEAN = "Recent days, where it must be better", "Clean images, where it must not be worse"
_EXAMPLES = 6
_MOST_DAYS = 10  # more are counted, not named
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

    gate = store.read(store.keys.retraining(run_key, GATE), GateResult)
    card = registry.card(store, gate.version)
    data = card.data
    how = f"{card.recipe.name}, {len(card.history)} epochs"
    if isinstance(card.recipe, ImportedRecipe):
        how = f"by the team ({card.recipe.file})"
    lines = [
        f"**{gate.version}** against the champion **{gate.champion}**. Asked for by: {card.created_by}.",
        "",
        f"Trained on {data.images} images, {data.new_labels} of them labelled in {data.first_day} to "
        f"{data.last_day}; {how}; imitated damage: "
        f"{data.damage.kind if data.damage else 'none'}.",
        "",
        *[f"- {reason}" for reason in gate.reasons],
        *(
            [
                f"- {gate.unanswered} evaluation images are left out: production never answered them, or with a class that is gone."
            ]
            if gate.unanswered
            else []
        ),
        "",
        levels(gate),
    ]
    lines += _segments(gate)
    lines += ["", *_part(_RECENT, (), gate.recent_days, gate.recent, store.config.classes)]
    lines += ["", *_part(_CLEAN, ("the original holdout",), gate.clean_days, gate.clean, store.config.classes)]
    return "\n".join([*lines, *_examples(store, gate, link)])


def _segments(gate: GateResult) -> list[str]:
    """The models by segment, the worst first; nothing where there are no segments."""
    if not gate.segments:
        return []
    line = worse_segments_line(gate.segments)
    head = ["| segment | images | won | lost | difference | p | |", "|---|---|---|---|---|---|---|"]
    rows = [
        f"| {row.by} {row.name} | {row.n} | {row.won} | {row.lost} | {row.difference} | {row.p} | {row.verdict.word} |"
        for row in gate_segment_rows(gate.segments)
    ]
    return ["", *([f"- {line}"] if line else []), "", "### By segment", "", *head, *rows]


def _part(
    title: str, elsewhere: tuple[str, ...], days: tuple[date, ...], found: GatePart, classes: tuple[str, ...]
) -> list[str]:
    """One part of the evaluation images, which come from `elsewhere` and these days: the shares, and both confusion matrices."""
    what = "confused most often" if len(classes) > MOST_CLASSES else "images by true class and answer"
    lines = [f"### {title}", f"From {', '.join([*elsewhere, *_days(days)])}.", "", *_table(found, classes)]
    for role, metrics in (("Champion", found.champion), ("Challenger", found.challenger)):
        lines += ["", f"{role}, {what}:", "", *_confusion(metrics.confusion_matrix)]
    return lines


def _days(days: tuple[date, ...]) -> list[str]:
    if len(days) > _MOST_DAYS:
        return [f"{len(days)} days of {days[0]} to {days[-1]}"]
    return [day.isoformat() for day in days]


def _table(found: GatePart, classes: tuple[str, ...]) -> list[str]:
    by_class = found.by_class if isinstance(found, CleanPart) else {}
    rows = ["| | images | champion | challenger | difference, at least |", "|---|---|---|---|---|"]
    rows.append(_row("accuracy", found.champion.accuracy, found.challenger.accuracy, _change(found)))
    for name in classes:
        champion, challenger = (metrics.classes[name].recall for metrics in (found.champion, found.challenger))
        rows.append(_row(f"recall {name}", champion, challenger, _change_of_class(by_class.get(name))))
    return rows


def _row(name: str, champion: Share, challenger: Share, change: str) -> str:
    return f"| {name} | {champion.n} | {share_with_ends(champion)} | {share_with_ends(challenger)} | {change} |"


def _change(paired: PairedComparison) -> str:
    seen = paired.deciding
    if seen.difference is None or seen.low is None:
        return ""
    return f"{change_text(seen.difference)}, {change_text(seen.low)}"


def _change_of_class(paired: ClassComparison | None) -> str:
    change = _change(paired) if paired else ""
    if change and paired and paired.p_value_worse is not None and paired.p_value_worse <= _SHOWN:
        change += f"; so large a loss by chance: {p_text(paired.p_value_worse)}"
    return change


def _confusion(matrix: ConfusionMatrix) -> list[str]:
    """The matrix, with blanks for what never happened. If there are many classes: the pairs that were confused most often."""
    labels = matrix.labels
    if len(labels) > MOST_CLASSES:
        pairs = top_confusions(matrix, MOST_PAIRS)
        rows = [f"| {truth} | {answer} | {n} | {whole_percent(share)} |" for truth, answer, n, share in pairs]
        return ["| true class | answer | images | of the class |", "|---|---|---|---|", *rows]
    rows = [f"| true class | {' | '.join(labels)} |", "|---|" + "---|" * len(labels)]
    return rows + [
        f"| {name} | {' | '.join(str(n or '') for n in row)} |" for name, row in zip(labels, matrix.rows, strict=True)
    ]


def _picture(link: Callable[[str, str], str] | None, image_id: str, key: str) -> str:
    """An image. Only its id if it cannot be shown, for example because its file was replaced."""
    try:
        return f"![{image_id[:12]}]({link(image_id, key)})" if link else image_id[:12]
    except ChangedImage as error:
        logger.warning("%s", error)
        return image_id[:12]


def _examples(store: MonitorStore, gate: GateResult, link: Callable[[str, str], str] | None) -> list[str]:
    table = store.storage.read_table(store.keys.model_evaluation(gate.version)).set_index("image_id")
    lines = []
    parts = (gate.recent, gate.clean)
    repaired = [image_id for part in parts for image_id in part.repaired[:_EXAMPLES]]
    broken = [image_id for part in parts for image_id in part.broken[:_EXAMPLES]]
    for ids, title in ((repaired, "Now right"), (broken, "Now wrong")):
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

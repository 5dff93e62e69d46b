"""Writes the tables of performance.md and gate.md anew from the .csv files beside them: the last step of `make bench-judgement`.

    python -m bench.judgement.tables

A table stands between `<!-- table: NAME -->` and `<!-- end -->`; the words around them are people's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import pandas as pd

from bench.judgement.drift_data import OUT

_PHOTOS = {
    "clean": "clean",
    "noise 5": "noise, severity 5",
    "8 pixels across": "pixelated to 8 px across",
    "blur 5": "blur, severity 5 (sigma 6)",
    "contrast 3": "contrast, severity 3 (x 0.2)",
    "dark x0.15": "dark, x 0.15",
    "brightness 4": "brightness, severity 4",
}
_PEOPLE = {
    "people err independently": "people who err independently, 6 %",
    "people err alike": "people who err alike, 6 %",
    "people err alike, skills differ": "the same, of different skill",
    "weak people, err alike": "weak people who err alike, 15 %",
    "real answers, d_possent (23% of labels wrong)": "real answers, d_possent (23 % of labels wrong)",
    "real answers, duck_bluebirds (33% of labels wrong)": "real answers, duck_bluebirds (33 % wrong)",
    "people and model err on the same images": "people and model err on the same images, 6 %",
}
_RULES = ["floor", "drop", "trend", "floor or drop", "floor or drop, 2 of 3 days", "naive point rule"]


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(OUT / f"{name}.csv")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def share(value: float) -> str:
    """Like .953; 1 and 0 as they are."""
    return f"{value:.3f}".replace("0.", ".", 1) if 0 < abs(value) < 1 else f"{value:g}"


def percent(value: float) -> str:
    return f"{100 * value:.2g} %"


def without_labels() -> str:
    found = read("performance_without_labels")
    name, true, estimate, _, covered, warned = found.columns[:6]
    of = found.set_index(name)
    rows = [
        [said, *(share(of.loc[key, column]) for column in (true, estimate, covered, warned))]
        for key, said in _PHOTOS.items()
    ]
    return table(["photos", "true accuracy", "estimate", "covered", "warned"], rows)


def label_saving() -> str:
    found = read("performance_label_saving")
    labels, method, n, of, covered, _, saved = found.columns[:7]
    said = {
        "right labels": "right labels",
        "people err alike": "three votes, people err alike on 6 %",
        "d_possent": "three real votes, d_possent (23 % of labels wrong)",
    }
    rows = []
    for (who, count, total), part in found.groupby([labels, n, of], sort=False):
        by = part.set_index(method)
        cells = [
            f"{100 * by.loc[key, saved]:.0f} %, {share(by.loc[key, covered])}" if key in by.index else ""
            for key in ("prediction_powered", "score strata")
        ]
        rows.append([said[who], f"{count} of {total:,}", *cells, share(by.loc["labels", covered])])
    return table(
        [
            "labels by",
            "n of images",
            "prediction-powered: saved, covered",
            "score strata: saved, covered",
            "labels alone: covered",
        ],
        rows,
    )


def coverage() -> str:
    found = read("performance_coverage")
    ours = found[~found["interval"].str.contains("bootstrap")]
    theirs = found[found["interval"].str.contains("bootstrap")]["covered"]
    low, high = ours["covered"].min(), ours["covered"].max()
    near = ours["covered"].between(0.935, 0.975).sum()
    return (
        f"Of the {len(ours)} rows of the product {near} are between .935 and .975, the lowest is {share(low)} and the highest {share(high)}. F1 by a percentile\n"
        f"bootstrap, for comparison, is between {share(theirs.min())} and {share(theirs.max())}: that is why F1 has Wilson's interval, carried through."
    )


def corrected() -> str:
    found = read("performance_coverage_corrected")
    found["setting"] = found["setting"].str.replace("; 150 control answers", "")
    by = found.set_index(["interval", "setting"])["covered"]

    def cell(where: str, who: str) -> str:
        keys = [(kind, f"{where}; {who}") for kind in ("accuracy, corrected", "agreement taken for accuracy")]
        return ", ".join(share(by[key]) for key in keys) if keys[0] in by.index else ""

    rows = [[said, cell("photos", who), cell("synthetic 95 %", who)] for who, said in _PEOPLE.items()]
    return table(["three votes by", "photos: corrected, agreement", "synthetic (.95): corrected, agreement"], rows)


def classes() -> str:
    rows = []
    for row in read("performance_classes").to_dict("records"):
        who = row["confusion"] + ("; **control tasks chosen as unanimous**" if row["control"] == "unanimous" else "")
        who += "; **on the model's wrong images**" if row["with model"] else ""
        wrong = f"{percent(row['labels wrong'])}, {percent(row['said, median'])}"
        held = f"{share(row['bias'])}, {share(row['accuracy covered'])}"
        rows.append(
            [
                row["classes"],
                who,
                row["votes"],
                f"{row['wrong votes']:.2f}, {row['alike']:.1f}",
                wrong,
                share(row["covered"]),
                held,
            ]
        )
    head = [
        "classes",
        "wrong votes go",
        "votes",
        "wrong, alike",
        "labels wrong: true, said",
        "interval holds it",
        "accuracy: bias, interval holds it",
    ]
    return table(head, rows)


def policy() -> str:
    found = read("performance_policy").pivot(index="labels a day", columns="rule", values="false alerts a year")
    rows = [
        [labels, *(f"{found.loc[labels, rule]:g}" for rule in ("below_floor or worse", *_RULES))]
        for labels in found.index
    ]
    return table(
        [
            "labels a day",
            "the default, below_floor or worse",
            *_RULES[:-2],
            "the same, 2 of 3 days",
            "naive: share below the floor, right labels",
        ],
        rows,
    )


def detection() -> str:
    found = read("performance_detection").pivot(index=["labels a day", "drop"], columns="rule", values="median days")

    def days(value: object) -> str:
        return value if isinstance(value, str) and value.startswith("over") else f"{float(str(value)):g}"

    rules = ("below_floor or worse", *_RULES)
    rows = [
        [labels, f"{100 * drop:.0f}", *(days(found.loc[(labels, drop), rule]) for rule in rules)]
        for labels, drop in found.index
    ]
    head = [
        "labels a day",
        "drop in points",
        "the default",
        *_RULES[:-2],
        "the same, 2 of 3 days",
        "naive, right labels",
    ]
    return table(head, rows)


def gates() -> str:
    found = read("gate")
    named = found.columns[-1]
    same = [
        "the same everywhere",
        "better on recent days, the same on clean images",
        "better everywhere",
        "better, much comes and goes",
    ]
    ruined = ["better, but one class lost half", "better, but one class lost two thirds"]
    by = found.set_index(["classes", "clean images a class", "challenger"])
    rows = []
    for count, images in dict.fromkeys(zip(found["classes"], found["clean images a class"], strict=True)):
        promoted = [f"{100 * by.loc[(count, images, kind), 'promote']:.0f} %" for kind in same]
        lost = [
            f"{100 * by.loc[(count, images, kind), 'promote']:.0f} %, {100 * by.loc[(count, images, kind), named]:.0f} %"
            for kind in ruined
        ]
        rows.append([count, images, *promoted, *lost])
    head = [
        "classes", "clean images a class", "the same everywhere", "better on recent days, the same on clean images", "better everywhere",
        "much comes and goes", "one class lost half: promoted, class named", "one class lost two thirds",
    ]  # fmt: skip
    return table(head, rows)


TABLES: dict[str, dict[str, Callable[[], str]]] = {
    "performance.md": {
        "without_labels": without_labels, "label_saving": label_saving, "coverage": coverage, "coverage_corrected": corrected,
        "classes": classes, "policy": policy, "detection": detection,
    },
    "gate.md": {"gate": gates},
}  # fmt: skip


def main() -> None:
    for page, tables in TABLES.items():
        path = OUT / page
        text = path.read_text(encoding="utf-8")
        for name, made in tables.items():
            place = re.compile(rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
            assert len(place.findall(text)) == 1, f"{page} has no one place for the table {name}"
            filled = made()
            text = place.sub(lambda found, filled=filled: f"{found[1]}\n{filled}\n{found[2]}", text)  # type: ignore[misc]
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

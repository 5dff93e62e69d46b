"""The drift benchmark's tables as one page: drift.html."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import beta

from bench.judgement.drift_data import CACHE, MAIN, OUT, RATES, REFERENCES, SIZES, corruptions

QUALITY_OF_CLASSES = "image_quality, classes known"
# What is judged: by which p-values, each at its share of the stated rate. In the morning's test of image quality no class is known.
JUDGED = {
    "image_quality": {"image_quality": 1.0},
    QUALITY_OF_CLASSES: {QUALITY_OF_CLASSES: 1.0},
    "content": {"content": 1.0},
    "predictions": {"predictions": 1.0},
    "day, all three": {"image_quality": 0.5, "content": 0.25, "predictions": 0.25},
    "images, classes known": {QUALITY_OF_CLASSES: 2 / 3, "content": 1 / 3},
}


def alarm_table() -> pd.DataFrame:
    found = pd.read_csv(CACHE / "alarms.csv")
    rows = []
    for (mix, n), part in found.groupby(["mix", "n"], sort=False):
        for rate in RATES:
            for kind, shares in JUDGED.items():
                known = part.dropna(subset=list(shares))
                if known.empty:
                    continue
                alarms = np.any([known[name] <= rate * share for name, share in shares.items()], axis=0)
                hits = pd.Series(alarms, index=known["reference"])
                low, high, worth = _interval(hits)
                rows.append(
                    {
                        "mix": mix,
                        "n": n,
                        "kind": kind,
                        "stated": rate,
                        "tests": len(hits),
                        "alarms": int(hits.sum()),
                        "rate": round(hits.mean(), 4),
                        "low": round(low, 4),
                        "high": round(high, 4),
                        "independent_tests": round(worth),
                    }
                )
    return pd.DataFrame(rows)


def _interval(hits: pd.Series) -> tuple[float, float, float]:
    """95 % for the share of `hits`, by reference, and how many independent tests they are worth: tests against one reference are
    alike. Clopper and Pearson's with that number (Korn and Graubard, 1998)."""
    rate, tests = hits.mean(), len(hits)
    of_reference = hits.groupby(level=0).mean()
    chance = rate * (1 - rate) / tests
    worth = tests / max(1.0, of_reference.var(ddof=1) / len(of_reference) / chance) if chance else float(tests)
    k = rate * worth
    low = beta.ppf(0.025, k, worth - k + 1) if k else 0.0
    return low, beta.ppf(0.975, k + 1, worth - k) if k < worth else 1.0, worth


def page() -> None:
    """drift.html from the tables."""
    import base64
    import io

    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    table = alarm_table()
    table.to_csv(OUT / "drift_alarms.csv", index=False)
    found = pd.read_csv(OUT / "drift_power.csv")
    figure, (*alarmed, powerful) = plt.subplots(1, 3, figsize=(14, 4))
    for axis, mix, title in zip(
        alarmed, ("clean", "70/30"), ("Clean batches", "Clean batches of another mix, 70/30"), strict=True
    ):
        for kind, part in table[(table["mix"] == mix) & (table["stated"] == 0.1)].groupby("kind", sort=False):
            spread = [part["rate"] - part["low"], part["high"] - part["rate"]]
            axis.errorbar(part["n"], part["rate"], spread, marker="o", capsize=3, label=kind)
        axis.axhspan(0.05, 0.15, alpha=0.12)
        axis.set(xscale="log", xlabel="images in the batch", ylabel="alarms, stated 10 %", ylim=(0, 0.7), title=title)
        axis.set(xticks=SIZES, xticklabels=SIZES)
        axis.minorticks_off()
    alarmed[0].legend(fontsize=8)
    for name, part in found[(found["n"] == 100) & (found["share"] == 0.2) & found["corruption"].isin(MAIN)].groupby(
        "corruption", sort=False
    ):
        part = part.sort_values("severity")
        powerful.plot(part["severity"], part["power_at_0.01"], marker="o", label=name)
    powerful.set(xlabel="severity", ylabel="power at 1 %", ylim=(-0.02, 1.02), title="20 of 100 photos corrupted")
    powerful.legend(fontsize=8)
    buffer = io.BytesIO()
    figure.tight_layout()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    picture = base64.b64encode(buffer.getvalue()).decode()
    parts = [
        (f"<h2>{title}</h2><p>{about} All columns: <a href={name}>{name}</a>.</p>" + _across(name).to_html(border=0))
        for name, title, about in SECTIONS
        if (OUT / name).exists()
    ]
    (OUT / "drift.html").write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Drift benchmark</title>"
        "<style>body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2em auto;padding:0 1em}"
        "table{border-collapse:collapse;font-size:13px}td,th{padding:2px 10px;text-align:right}tr:nth-child(even){background:#f3f4f6}img{max-width:100%}</style>"
        f"<h1>Drift: false alarms and power on real photos</h1>{INTRODUCTION}{_how_much(found)}"
        f'<img alt="false alarms and power" src="data:image/svg+xml;base64,{picture}">' + "".join(parts) + "</html>",
        encoding="utf-8",
    )


def _across(name: str) -> pd.DataFrame:
    """A table as people read it: what belongs side by side is, in as few rows as possible."""
    table = pd.read_csv(OUT / name)
    if name == "drift_alarms.csv":
        spans = [f"{row.rate:.3f} ({row.low:.3f} to {row.high:.3f})" for row in table.itertuples()]
        told = table.assign(stated=[f"stated {rate:g}" for rate in table["stated"]], found=spans)
        return told.pivot_table("found", ["mix", "n", "kind"], "stated", aggfunc="first", sort=False)
    if name in ("drift_power.csv", "drift_rivals.csv"):
        table["batch"] = [
            f"{share:.0%} of {n}" if share else f"clean, {n}"
            for share, n in zip(table["share"], table["n"], strict=True)
        ]
    if name == "drift_power.csv":
        power = table.pivot_table("power_at_0.01", ["corruption", "batch"], "severity", sort=False)
        return power[sorted(power)].map(lambda share: "" if np.isnan(share) else f"{share:.2f}")
    if name == "drift_rivals.csv":
        return table.pivot_table("called_drifted", ["corruption", "severity", "batch"], "tool", sort=False)
    return table.set_index(table.columns[0])


def _how_much(power_table: pd.DataFrame) -> str:
    """Says so where the tables are of a run that was stopped before its end."""
    done = pd.read_csv(CACHE / "alarms.csv")["reference"].nunique()
    cells = len(MAIN) * (2 + 6 + 4 + 4) + len(corruptions()) - len(MAIN)
    tools = pd.read_csv(OUT / "drift_rivals.csv")["tool"].nunique() if (OUT / "drift_rivals.csv").exists() else 0
    missing = [
        f"false alarms: {done} of {REFERENCES} references" if done < REFERENCES else "",
        f"power: {len(power_table)} of {cells} cells" if len(power_table) < cells else "",
        f"other tools: {tools} of 3" if tools < 3 else "",
        "bursts and timing: not run" if not (OUT / "drift_timing.csv").exists() else "",
    ]
    said = "; ".join(text for text in missing if text)
    return (
        f"<p><b>These tables are of a run that was stopped early ({said}).</b> The target makes them whole.</p>"
        if said
        else ""
    )


INTRODUCTION = (
    "<p>Made by <code>make bench-judgement</code>; seeds are fixed. Photos of references and of batches are never the same. Corruptions are those "
    "of ImageNet-C by the parameters made for 224 pixels, applied to each decoded photo at its own size (median 443 x 374) with the parameters "
    "unchanged: the milder damage, and so the harder to see. The corrupted photo is not saved again, so nothing but the corruption gives it away.</p>"
    "<p>What was tuned on what: features and statistics of the image-quality test were chosen earlier on these shared photos; the content and "
    "prediction tests and the clusters were not tuned on photos at all, and the trend's slack was chosen on simulated normal days. Other photos and other "
    "corruptions will give other figures.</p>"
    "<p>For content and predictions a small model is trained on 600 photos; 400 others are held out, and batches come from the remaining 999.</p>"
)

SECTIONS = (
    (
        "drift_power.csv",
        "Power of the image-quality test",
        "Share of batches called drifted at 1 %, by severity; `100% of 50`: so many of so many photos are corrupted. "
        "`mild…` are the weakest parameters made for 32 and 64 pixel images, at the photos' full size: nearly invisible.",
    ),
    (
        "drift_rivals.csv",
        "Other tools at their defaults, on the same features",
        "False alarms (clean) and power (corrupted), n images a batch; a batch is "
        "called drifted where the tool's own default says so for any column (whylogs; NannyML, with chunks of n images) or for "
        "the dataset (Evidently). Power beside many false alarms is no power.",
    ),
    (
        "drift_alarms.csv",
        "False alarms",
        f"{REFERENCES} references, each with batches that have no photo in common: 19 clean ones of 50, 9 of 100, 4 of 200, one of 500, and one of each "
        "other mix; interval: Clopper-Pearson with the number of independent tests that they are worth. "
        "A changed class mix is real drift of the predictions, and of the day with them; the images of the classes are the same. `classes known`: image "
        "quality tested with the predicted classes, as a notebook can and the morning's task cannot; of clean batches one for each reference and size. "
        "Content always has them. The small model errs on a third of these photos, so its classes account for a part of the mix only.",
    ),
    ("drift_bursts.csv", "Days of bursts", "40 scenes, five frames each."),
    ("drift_timing.csv", "Time of a day's test", "CPU time, after calibration; the aim is 50 ms."),
)

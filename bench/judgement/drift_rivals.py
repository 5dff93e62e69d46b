"""whylogs, Evidently and NannyML on the same features, at their defaults. Runs in an environment of its own (var/bench/venv).

    var/bench/venv/bin/python bench/judgement/drift_rivals.py

Reads the features that `drift_data` extracted; writes docs/benchmarks/judgement/drift_rivals.csv.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import cache
from pathlib import Path

os.environ.update(
    WHYLOGS_NO_ANALYTICS="1", _WHYLABS_SKIP_CONFIG_READ="1", NML_DISABLE_USAGE_LOGGING="1", DO_NOT_TRACK="1"
)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

ROOT = Path(__file__).parents[2]
CACHE, OUT = ROOT / "var" / "bench" / "drift", ROOT / "docs" / "benchmarks" / "judgement"
REFERENCE_PHOTOS = 1000
MAIN = ("gaussian_noise", "gaussian_blur", "defocus_blur", "brightness", "contrast", "jpeg_quality", "pixelate")


def features(name: str) -> pd.DataFrame:
    return pd.read_parquet(CACHE / name / "features.parquet")


class WhylogsKs:
    """calculate_drift_scores with the KS test for each column; DRIFT (p below .05) in any."""

    clean_batches, power_batches = 40, 10

    def __init__(self, reference: pd.DataFrame) -> None:
        self.reference = self._profile(reference)

    def _profile(self, table: pd.DataFrame):  # type: ignore[no-untyped-def]
        import whylogs as why

        return why.log(pandas=table).view()

    def __call__(self, batch: pd.DataFrame) -> bool:
        from whylogs.viz.drift.column_drift_algorithms import KS, calculate_drift_scores

        algorithms = {name: KS() for name in batch.columns}
        found = calculate_drift_scores(self._profile(batch), self.reference, algorithms, with_thresholds=True)
        return any(score and score["drift_category"] == "DRIFT" for score in found.values())


class Evidently:
    """DataDriftPreset: the dataset drifted where at least half of its columns did."""

    clean_batches, power_batches = 40, 10

    def __init__(self, reference: pd.DataFrame) -> None:
        self.reference = reference

    def __call__(self, batch: pd.DataFrame) -> bool:
        from evidently import Dataset, Report
        from evidently.presets import DataDriftPreset

        snapshot = Report([DataDriftPreset()]).run(Dataset.from_pandas(batch), Dataset.from_pandas(self.reference))
        for metric in snapshot.dict()["metrics"]:
            if "DriftedColumnsCount" in str(metric.get("metric_id", metric.get("metric_name", ""))):
                return float(metric["value"]["share"]) >= 0.5
        raise RuntimeError(f"no DriftedColumnsCount in {snapshot.dict()['metrics'][0]}")


class NannyMlJs:
    """UnivariateDriftCalculator, Jensen-Shannon, default threshold: three standard deviations over the reference's chunks, which are of
    the batch's size here; an alert in any column."""

    clean_batches, power_batches = 40, 10

    def __init__(self, reference: pd.DataFrame) -> None:
        self.reference = reference

    @cache  # noqa: B019
    def _calculator(self, n: int):  # type: ignore[no-untyped-def]
        import nannyml

        return nannyml.UnivariateDriftCalculator(
            column_names=list(self.reference.columns), continuous_methods=["jensen_shannon"], chunk_size=n
        ).fit(self.reference)

    def __call__(self, batch: pd.DataFrame) -> bool:
        table = self._calculator(len(batch)).calculate(batch.reset_index(drop=True)).filter(period="analysis").to_df()
        alerts = [column for column in table.columns if column[-1] == "alert"]
        return bool(table[alerts].to_numpy().any())


def main() -> None:
    clean = features("clean")
    clean.columns = [name.replace("image.", "").replace(".", "_") for name in clean.columns]
    reference, pool = clean[:REFERENCE_PHOTOS], clean[REFERENCE_PHOTOS:].reset_index(drop=True)
    rows = []
    for kind in (WhylogsKs, NannyMlJs, Evidently):
        tool = kind(reference)
        rng = np.random.default_rng(21)
        for n in (50, 100, 200, 500):
            hits = [tool(pool.iloc[rng.permutation(len(pool))[:n]]) for _ in range(tool.clean_batches)]
            rows.append((kind.__name__, "clean", 0, n, 0.0, tool.clean_batches, np.mean(hits)))
        for name in MAIN:
            for severity, share in ((1, 1.0), (3, 0.2)):
                broken = features(f"{name}-{severity}").set_axis(clean.columns, axis=1)
                hits = []
                for _ in range(tool.power_batches):
                    chosen, k = rng.permutation(len(pool))[:100], round(100 * share)
                    hits.append(tool(pd.concat([broken.iloc[chosen[:k]], pool.iloc[chosen[k:]]])))
                rows.append((kind.__name__, name, severity, 100, share, tool.power_batches, np.mean(hits)))
        print(kind.__name__, flush=True)
        columns = ["tool", "corruption", "severity", "n", "share", "batches", "called_drifted"]
        OUT.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows, columns=columns).round(3).to_csv(OUT / "drift_rivals.csv", index=False)


if __name__ == "__main__":
    main()

"""The performance half of `make bench-judgement`: writes tables (CSV) and plots to docs/benchmarks/judgement/.

`python -m bench.judgement.performance` makes all of them, `... performance coverage` one. Seeds are fixed. Needs ../shared.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pandas as pd

from bench.judgement import performance_coverage, performance_policy, performance_scores
from bench.judgement.performance_photos import ROOT, Answers, load

OUT = ROOT / "docs" / "benchmarks" / "judgement"
TABLES: dict[str, Callable[[Answers], pd.DataFrame]] = {
    "coverage": performance_coverage.of_shares,
    "coverage_corrected": performance_coverage.of_correction,
    "without_labels": performance_scores.without_labels,
    "label_saving": performance_scores.label_saving,
    "policy": performance_policy.false_alerts,
    "detection": performance_policy.detection,
}


def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    answers = load()
    for name in names or list(TABLES):
        began = time.perf_counter()
        table = TABLES[name](answers)
        table.to_csv(OUT / f"performance_{name}.csv", index=False)
        print(f"{name}: {time.perf_counter() - began:.0f} s\n{table.to_string()}", flush=True)
    performance_scores.plot(OUT)


if __name__ == "__main__":
    main(sys.argv[1:])

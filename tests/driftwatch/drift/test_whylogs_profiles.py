"""Profiles: what they say, that the same rows give the same bytes, and what is refused."""

from __future__ import annotations

import datetime
import hashlib
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftwatch.drift import whylogs_profiles as profiles

DAY = datetime.date(2026, 1, 2)


def features(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"image.f{i}": rng.normal(100, 20, rows) for i in range(5)})
    frame["image.width"] = rng.integers(100, 2000, rows)
    return frame


def test_the_profile_says_what_pandas_says():
    frame = features()
    frame.loc[3, "image.f1"] = np.nan
    view = profiles.read_profile(profiles.feature_profile(frame, DAY))
    said = profiles.summary(view)

    assert view.dataset_timestamp == datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    assert set(said) == set(frame.columns)
    for name in frame.columns:
        assert said[name]["mean"] == pytest.approx(frame[name].mean())
        assert said[name]["stddev"] == pytest.approx(frame[name].std())
        assert said[name]["min"] == frame[name].min()
        assert said[name]["max"] == frame[name].max()
        assert said[name]["median"] == pytest.approx(frame[name].median(), abs=2)
        assert said[name]["count"] == 300
    assert (said["image.f1"]["missing"], said["image.f2"]["missing"]) == (1, 0)


def test_features_are_v1_files_that_whylogs_reads(tmp_path):
    import whylogs as why

    (tmp_path / "p.bin").write_bytes(profiles.feature_profile(features(), DAY))

    assert why.read(str(tmp_path / "p.bin")).view().get_column("image.width").get_metric("counts").n.value == 300


def test_performance_is_a_v0_file_that_whylogs_reads(tmp_path):
    from whylogs.migration.converters import read_v0_to_view

    data = profiles.performance_profile(["cat", "dog", "dog"], ["cat", "dog", "cat"], [0.9, 0.8, 0.6], DAY)
    (tmp_path / "p.bin").write_bytes(data)
    matrix = read_v0_to_view(str(tmp_path / "p.bin")).model_performance_metrics.confusion_matrix

    assert data[:4] != b"WHY1"
    assert matrix.labels == ["cat", "dog"]
    assert matrix.confusion_matrix[(0, 1)].n == 1  # (prediction cat, target dog)
    assert matrix.confusion_matrix[(0, 1)].mean.value == pytest.approx(0.6)


@pytest.mark.parametrize("rows", [1, 300, 1100, 5000])
def test_the_same_rows_in_any_order_give_the_same_bytes(rows):
    frame = features(rows)
    shuffled = frame.sample(frac=1, random_state=1)[list(reversed(frame.columns))]

    assert profiles.feature_profile(frame, DAY) == profiles.feature_profile(shuffled, DAY)


def test_a_new_process_gives_the_same_bytes():
    # protobuf maps come in an order that changes from process to process
    code = (
        "import datetime, hashlib, sys, numpy as np, pandas as pd\n"
        "from driftwatch.drift.whylogs_profiles import feature_profile, performance_profile\n"
        "day = datetime.date(2026, 1, 2)\n"
        "frame = pd.DataFrame({f'image.f{i}': np.random.default_rng(i).normal(size=1500) for i in range(12)})\n"
        "data = feature_profile(frame, day) + performance_profile(['a', 'b'] * 20, ['a', 'a'] * 20, [.5] * 40, day)\n"
        "print(hashlib.sha256(data).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    frame = pd.DataFrame({f"image.f{i}": np.random.default_rng(i).normal(size=1500) for i in range(12)})
    here = profiles.feature_profile(frame, DAY)
    here += profiles.performance_profile(["a", "b"] * 20, ["a", "a"] * 20, [0.5] * 40, DAY)

    assert elsewhere == hashlib.sha256(here).hexdigest() + "\n"


def test_performance_in_any_order_gives_the_same_bytes():
    rows = [(t, p, s) for t, p, s in zip("abab" * 500, "aabb" * 500, np.linspace(0, 1, 2000), strict=True)]
    there = profiles.performance_profile(*map(list, zip(*rows, strict=True)), DAY)
    back = profiles.performance_profile(*map(list, zip(*reversed(rows), strict=True)), DAY)

    assert there == back


def test_the_content_hash_goes_by_the_values_alone():
    frame = features()
    same = frame.sample(frac=1, random_state=3)[sorted(frame.columns, reverse=True)].astype({"image.width": float})
    zero = pd.DataFrame({"a": [0.0, 1.0]})

    assert profiles.content_hash(frame) == profiles.content_hash(same)
    assert profiles.content_hash(zero) == profiles.content_hash(pd.DataFrame({"a": [1.0, -0.0]}))
    others = [
        frame.assign(**{"image.f1": frame["image.f1"] + 1e-9}),
        frame.iloc[1:],
        frame.rename(columns={"image.f1": "image.g1"}),
        frame.assign(**{"image.f1": frame["image.f2"], "image.f2": frame["image.f1"]}),
    ]
    assert len({profiles.content_hash(f) for f in [frame, *others]}) == 5


def test_the_performance_hash_goes_by_the_samples_alone():
    base = (["cat", "dog"], ["cat", "cat"], [0.9, 0.6])
    swapped = (["dog", "cat"], ["cat", "cat"], [0.6, 0.9])
    other = (["cat", "dog"], ["cat", "cat"], [0.6, 0.9])

    assert profiles.performance_content_hash(*base) == profiles.performance_content_hash(*swapped)
    assert profiles.performance_content_hash(*base) != profiles.performance_content_hash(*other)


def merged(data: list[bytes]) -> Any:
    return profiles.merge_views([profiles.read_profile(part) for part in data])


def test_merging_parts_gives_the_whole():
    frame = features(600)
    parts = [profiles.feature_profile(part, DAY) for part in (frame[:100], frame[100:450], frame[450:])]
    said = profiles.summary(merged(parts))["image.f1"]

    assert said["count"] == 600
    assert said["mean"] == pytest.approx(frame["image.f1"].mean())
    assert said["stddev"] == pytest.approx(frame["image.f1"].std())


def test_merging_keeps_every_cell_of_sparse_confusion_matrices():
    # whylogs' own merge of live matrices fails or loses cells that one side lacks
    left = profiles.performance_profile(["cat", "cat"], ["cat", "cat"], [0.9, 0.8], DAY)
    right = profiles.performance_profile(
        ["dog", "cat"], ["cat", "bird"], [0.7, 0.4], DAY, classes=("bird", "cat", "dog")
    )
    both = {"labels": ["bird", "cat", "dog"], "counts": [[0, 0, 0], [1, 2, 0], [0, 1, 0]]}

    for pair in ([left, right], [right, left]):
        assert profiles.confusion_counts(merged(pair)) == both


def test_merging_features_and_performance_keeps_both():
    performance = profiles.performance_profile(["cat"], ["dog"], [0.9], DAY)
    view = merged([profiles.feature_profile(features(7), DAY), performance])

    assert profiles.summary(view)["image.f1"]["count"] == 7
    assert profiles.confusion_counts(view)["counts"] == [[0, 1], [0, 0]]


def test_classes_that_the_sample_lacks_are_kept():
    data = profiles.performance_profile(["cat"], ["cat"], [1.0], DAY, classes=("cat", "dog"))

    assert profiles.confusion_counts(profiles.read_profile(data)) == {
        "labels": ["cat", "dog"],
        "counts": [[1, 0], [0, 0]],
    }


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"a": []}), "0 rows and 1 columns"),
        (pd.DataFrame({"image_id": ["x"]}), "'image_id' is object: only numeric"),
        (pd.DataFrame({"a": [1.0, np.inf]}), "'a' has an infinite value"),
    ],
)
def test_unusable_features_are_refused_by_name(frame, said):
    with pytest.raises(profiles.ProfileError, match=said):
        profiles.feature_profile(frame, DAY)
    with pytest.raises(profiles.ProfileError, match=said):
        profiles.content_hash(frame)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([], [], []), "0 targets"),
        ((["a"], ["a", "b"], [0.1]), "1 targets, 2 predictions"),
        ((["a", None], ["a", "b"], [0.1, 0.2]), "sample 1: target None"),
        ((["a"], ["a"], [float("nan")]), "sample 0: score nan"),
        (([str(n) for n in range(257)], ["0"] * 257, [0.5] * 257), "257 labels"),
    ],
)
def test_unusable_performance_is_refused_by_sample(arguments, said):
    with pytest.raises(profiles.ProfileError, match=said):
        profiles.performance_profile(*arguments, DAY)


@pytest.mark.parametrize("data", [b"", b"x", b"hello world" * 20, b"WHY1", "cut"])
def test_damaged_bytes_are_refused(data):
    if data == "cut":
        data = profiles.feature_profile(features(), DAY)[:500]
    with pytest.raises(profiles.ProfileError, match="not a readable whylogs profile"):
        profiles.read_profile(data)


def test_importing_the_module_imports_no_whylogs_and_changes_no_environment():
    code = (
        "import os, sys\n"
        "before = dict(os.environ)\n"
        "import driftwatch.drift.whylogs_profiles\n"
        "print('whylogs' in sys.modules, dict(os.environ) == before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False True\n"


def test_the_first_profile_opens_no_socket_and_switches_the_look_ups_off():
    code = (
        "import os, socket\n"
        "for name in ('WHYLOGS_NO_ANALYTICS', '_WHYLABS_SKIP_CONFIG_READ'): os.environ.pop(name, None)\n"
        "def no(*args, **kwargs): raise SystemExit('network')\n"
        "socket.socket.connect = socket.getaddrinfo = no\n"
        "import datetime, pandas as pd\n"
        "from driftwatch.drift.whylogs_profiles import feature_profile\n"
        "feature_profile(pd.DataFrame({'a': [1.0]}), datetime.date(2026, 1, 2))\n"
        "print(os.environ['WHYLOGS_NO_ANALYTICS'], os.environ['_WHYLABS_SKIP_CONFIG_READ'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "True 1\n"), done.stderr


def test_the_distance_of_values_that_differ_in_their_last_digits_alone():
    """As of a camera that always sends the same picture."""
    same, next_to_it = np.full(100, 120.0), np.where(np.arange(100) % 2, 120.0, np.nextafter(120.0, 200))
    one, other = (
        profiles.read_profile(profiles.feature_profile(pd.DataFrame({"a": values}), DAY))
        for values in (same, next_to_it)
    )
    assert profiles.hellinger(one, one) == {"a": 0.0}
    assert 0 < profiles.hellinger(one, other)["a"] < 1

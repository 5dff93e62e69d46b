"""Each kind of difference between two roots is found and named, and what two runs may differ in is allowed and counted."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from bench.same_artifacts import CUTS, RUN_DEPENDENT, compare, lines, main

DAY = "cats/days/2026-01-05"


class Roots:
    """Two roots; `put` writes a file into one of them or, without a second value, the same into both."""

    def __init__(self, folder: Path) -> None:
        self.a, self.b = folder / "a", folder / "b"

    def put(self, name: str, a: bytes | None, b: bytes | None) -> None:
        for root, data in ((self.a, a), (self.b, b)):
            if data is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_bytes(data)

    def differing(self) -> dict[str, list[str]]:
        return compare(self.a, self.b).differing


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    found = Roots(tmp_path)
    found.put(f"{DAY}/ingest.json", as_json({"day": "2026-01-05"}), as_json({"day": "2026-01-05"}))
    return found


def as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"


def as_npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


def as_keras(config: dict[str, Any], weights: np.ndarray, when: int = 1980) -> bytes:
    inner, buffer = io.BytesIO(), io.BytesIO()
    with h5py.File(inner, "w") as file:
        file["layers/dense/vars/0"] = weights
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("config.json", (when, 1, 1, 0, 0, 0)), json.dumps(config))
        archive.writestr(zipfile.ZipInfo("model.weights.h5", (when, 1, 1, 0, 0, 0)), inner.getvalue())
    return buffer.getvalue()


def as_profile(values: list[float]) -> bytes:
    import whylogs

    profile = whylogs.log(pd.DataFrame({"entropy": values})).profile()
    profile.set_dataset_timestamp(datetime(2026, 1, 5, tzinfo=timezone.utc))
    return profile.view().serialize()


def as_old_profile(values: list[float]) -> bytes:
    from google.protobuf.internal.encoder import _VarintBytes
    from whylogs.core import DatasetProfileView
    from whylogs.migration.converters import v1_to_dataset_profile_message_v0

    view = DatasetProfileView.deserialize(as_profile(values))
    message = v1_to_dataset_profile_message_v0(view, None, None).SerializeToString(deterministic=True)
    return _VarintBytes(len(message)) + message


def test_equal_roots_are_equal_and_counted(roots, capsys):
    assert main([str(roots.a), f"file://{roots.b}"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Compared 1 files (1 .json): 1 are equal to the byte.",
        "Nothing else differs.",
    ]


def test_a_difference_ends_with_1_and_names_file_field_and_both_values(roots, capsys):
    roots.put(f"{DAY}/drift.json", as_json({"features": [{"effect": 0.25}]}), as_json({"features": [{"effect": 0.75}]}))
    assert main([str(roots.a), str(roots.b)]) == 1
    out = capsys.readouterr().out
    assert "1 files differ:\n  cats/days/2026-01-05/drift.json\n      /features/0/effect: 0.25 -> 0.75\n" in out


def test_a_root_without_files_is_no_proof(roots, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    for other in ("empty", "nowhere"):
        assert main([str(roots.a), str(tmp_path / other)]) == 2
        assert f"{tmp_path / other} holds no files" in capsys.readouterr().err


def test_a_file_of_one_root_alone_is_found(roots):
    roots.put("cats/models/champion.json", b"{}", None)
    roots.put("cats/outbox/2026-01-05/drift.json", None, b"{}")
    assert roots.differing() == {
        "cats/models/champion.json": ["only in A"],
        "cats/outbox/2026-01-05/drift.json": ["only in B"],
    }


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        ({"n": 1}, {"n": 1.0}, "/n: 1 -> 1.0"),
        ({"n": 1}, {"n": "1"}, "/n: 1 -> '1'"),
        ({"n": 0.0}, {"n": -0.0}, "/n: 0.0 -> -0.0"),
        ({"n": None}, {"n": False}, "/n: None -> False"),
        ({"n": []}, {"n": {}}, "/n: [] -> {}"),
        ({"n": 1, "m": 2}, {"n": 1}, "/m: only in A: 2"),
        ({"n": [1]}, {"n": [1, 2]}, "/n/1: only in B: 2"),
        ({"n": 1}, {"n": 1, "schema": 1}, "/schema: only in B: 1"),
        ({"n": 1, "schema_version": 1}, {"n": 1}, "/schema_version: only in A: 1"),
        ({"n": 1, "schema_version": 1}, {"n": 1, "schema_version": 2}, "/schema_version: 1 -> 2"),
    ],
)
def test_each_difference_of_a_json_field_is_found(roots, a, b, told):
    roots.put("cats/x.json", as_json(a), as_json(b))
    assert roots.differing() == {"cats/x.json": [told]}


@pytest.mark.parametrize(
    "b", [{"n": 1, "schema_version": 1}, {"n": 1, "schema_version": 1, "z": {"schema_version": 2, "y": 3}}]
)
def test_a_schema_version_may_be_in_b_alone(roots, b):
    roots.put("cats/x.json", as_json({k: {"y": 3} if k == "z" else 1 for k in b if k != "schema_version"}), as_json(b))
    account = compare(roots.a, roots.b)
    assert (account.differing, account.versions) == ({}, len(b) - 1)


@pytest.mark.parametrize("version", [{}, {"schema_version": 1}], ids=["the same fields", "and a version"])
def test_json_of_the_same_fields_but_another_layout_is_found(roots, version):
    roots.put("cats/x.json", as_json({"n": 1, "m": 2}), json.dumps({"m": 2, "n": 1, **version}, indent=4).encode())
    assert roots.differing() == {"cats/x.json": ["the content is the same, the bytes are others"]}


def table(**columns: Any) -> bytes:
    return pd.DataFrame(columns).to_parquet(index=False)


@pytest.mark.parametrize(
    ("b", "told"),
    [
        (
            {"n": [1.0, 2.5, float("nan")], "k": ["x", "y", "z"]},
            "n: 1 of 3 values differ, the first at 1: 2.0 -> 2.5",
        ),
        (
            {"n": [1.0, 2.0, 3.0], "k": ["x", "y", "z"]},
            "n: 1 of 3 values differ, the first at 2: None -> 3.0",
        ),
        (
            {"n": np.array([1, 2, np.nan], "float32"), "k": ["x", "y", "z"]},
            "n (type): double -> float",
        ),
        (
            {"k": ["x", "y", "z"], "n": [1.0, 2.0, float("nan")]},
            "(columns): 2 lines differ: +k | -k",
        ),
    ],
    ids=["a value", "a value where there was none", "another type", "another order"],
)
def test_each_difference_of_a_table_is_found(roots, b, told):
    roots.put("cats/t.parquet", table(n=[1.0, 2.0, float("nan")], k=["x", "y", "z"]), table(**b))
    assert roots.differing() == {"cats/t.parquet": [told]}


def test_a_missing_row_and_a_missing_column_are_found(roots):
    roots.put("cats/rows.parquet", table(n=[1, 2]), table(n=[1]))
    roots.put("cats/columns.parquet", table(n=[1], m=[2]), table(n=[1]))
    found = roots.differing()
    assert found["cats/rows.parquet"] == ["(rows): 2 -> 1", "n: 2 values -> 1 values"]
    assert "m: only in A" in found["cats/columns.parquet"]


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        (np.float32([1, 2]), np.float32([1, 2.5]), "values: 1 of 2 values differ, the first at 1: 2.0 -> 2.5"),
        (np.float32([0.0]), np.float32([-0.0]), "values: 1 of 1 values differ, the first at 0: 0.0 -> -0.0"),
        (np.zeros((2, 3), "u1"), np.zeros((3, 2), "u1"), "values (shape): (2, 3) -> (3, 2)"),
        (np.float32([1]), np.float64([1]), "values: float32 -> float64"),
        (np.zeros(2, "u1"), np.zeros(3, "u1"), "values: 2 values -> 3 values"),
    ],
)
def test_each_difference_of_an_array_is_found(roots, a, b, told):
    roots.put("cats/a.npy", as_npy(a), as_npy(b))
    assert told in roots.differing()["cats/a.npy"]


def test_a_models_weights_and_settings_are_compared(roots):
    same = as_keras({"units": 2}, np.float32([1, 2]))
    roots.put("cats/models/v1/model.keras", same, as_keras({"units": 3}, np.float32([1, 4])))
    roots.put("cats/models/v2/model.keras", same, as_keras({"units": 2}, np.float32([1, 2]), when=1990))
    assert roots.differing() == {
        "cats/models/v1/model.keras": [
            "config.json/units: 2 -> 3",
            "model.weights.h5/layers/dense/vars/0: 1 of 2 values differ, the first at 1: 2.0 -> 4.0",
        ],
        "cats/models/v2/model.keras": ["the content is the same, the bytes are others"],
    }


@pytest.mark.parametrize("profile", [as_profile, as_old_profile], ids=["v1", "v0"])
def test_a_profile_of_other_values_is_found_by_what_it_shows(roots, profile):
    roots.put(f"{DAY}/features.profile.bin", profile([1.0, 2.0]), profile([1.0, 5.0]))
    roots.put(f"{DAY}/same.bin", profile([1.0, 2.0]), profile([1.0, 2.0]))
    found = roots.differing()
    assert any("entropy" in told and "1.5 -> 3.0" in told for told in found[f"{DAY}/features.profile.bin"])
    # whylogs notes the moment of creation, which the product sets to the day's midnight.
    assert not any("entropy" in told for told in found.get(f"{DAY}/same.bin", []))


def test_reports_are_compared_by_their_lines(roots):
    roots.put(f"{DAY}/report.html", b"<p>65 %</p><p>same</p>", b"<p>66 %</p><p>same</p>")
    roots.put("cats/other.jpg", b"\xff\xd8one", b"\xff\xd8two")
    assert roots.differing() == {
        f"{DAY}/report.html": ["(lines): 2 lines differ: -<p>65 %</p> | +<p>66 %</p>"],
        "cats/other.jpg": ["(bytes): 3 of 5 values differ, the first at 2: 111 -> 116"],
    }


def test_a_damaged_artifact_is_a_difference_and_the_others_are_still_compared(roots):
    roots.put("cats/a.json", b"{}", b"{")
    roots.put("cats/b.json", b"{}", b"[]")
    found = roots.differing()
    assert found["cats/a.json"][0].startswith("other bytes, which cannot be read as .json: JSONDecodeError")
    assert found["cats/b.json"] == [": {} -> []"]


def test_what_differs_from_run_to_run_is_allowed_counted_and_told_with_its_reason(roots):
    plan = {"pool_id": "1", "expires": "2026-11-28T18:50:06+00:00", "links_expire": "2026-11-28T22:50:06+00:00"}
    later = {"expires": "2026-11-28T19:50:06+00:00", "links_expire": "2026-11-28T23:50:06+00:00"}
    exams = ({"exam": {"id": "2", "links_end": f"2026-12-03T18:40:5{n}+00:00"}} for n in range(2))
    plans = (as_json(plan | exam) for plan, exam in zip((plan, plan | later), exams, strict=True))
    roots.put(f"{DAY}/annotation.json", *plans)
    answers = {"image_id": ["a", "b"], "answer": ["cat", "dog"]}
    tables = (table(**answers, submitted=[f"2026-11-28T18:50:0{n}", "x"]) for n in range(2))
    roots.put(f"{DAY}/assignments.parquet", *tables)
    links = (
        f"See http://127.0.0.1:{port}/m/ and file:///home/{port}/storage/cats/report.html" for port in (25670, 31000)
    )
    roots.put("cats/outbox/2026-01-05/drift.json", *(as_json({"message": text}) for text in links))
    account = compare(roots.a, roots.b)
    assert account.differing == {}
    assert dict(account.skipped) == dict.fromkeys(RUN_DEPENDENT, 1)
    assert dict(account.cut) == dict.fromkeys(CUTS, 1)
    told = "\n".join(lines(account))
    assert all(rule.reason in told for rule in RUN_DEPENDENT)
    assert all(reason in told for _, _, reason in CUTS.values())


def test_only_the_named_field_of_the_named_file_may_differ_and_it_must_be_in_both(roots):
    roots.put(f"{DAY}/annotation.json", as_json({"expires": "1", "seed": 0}), as_json({"seed": 1}))
    roots.put(f"{DAY}/performance.json", as_json({"expires": "1"}), as_json({"expires": "2"}))
    roots.put(
        "cats/outbox/x.json", as_json({"message": "http://127.0.0.1:1/a"}), as_json({"message": "http://127.0.0.1:2/b"})
    )
    assert roots.differing() == {
        f"{DAY}/annotation.json": ["/expires: only in A: '1'", "/seed: 0 -> 1"],
        f"{DAY}/performance.json": ["/expires: '1' -> '2'"],
        "cats/outbox/x.json": ["/message: 'http://server/a' -> 'http://server/b'"],
    }

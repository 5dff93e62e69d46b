"""whylogs profiles of each segment: one zip file of them for the day's features, and one for its performance.

The segments are whylogs' own (`segment_on_column`), so that WhyLabs shows them as segments; WhyLabs takes them as one upload. Images in no segment are in none of the
profiles. The same rows give the same bytes, as for the profile of all rows, and a hash of the content for the upload ledger.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.drift.whylogs_bytes import OneSegment
from driftwatch.drift.whylogs_profiles import (
    content_hash,
    feature_profile,
    performance_content_hash,
    performance_profile,
    without_network,
)
from driftwatch.errors import NeedsAttention

if TYPE_CHECKING:
    import pandas as pd

_OLDEST = (1980, 1, 1, 0, 0, 0)


class Profiles(NamedTuple):
    """A zip of profiles, how many are in it, and what tells its content from another."""

    payload: bytes
    content_hash: str
    segments: int


def segmented_features(features: pd.DataFrame, segments: Mapping[str, pd.Series], day: date) -> Profiles:
    """The profiles of `feature_profile`, one for each segment. `segments`: by segmentation, the name of each row's segment, null for none."""
    without_network()
    files: dict[str, bytes] = {}
    digests = []
    for by, name, rows in _each(segments):
        part = features[rows]
        files[f"{by}-{len(files):05d}.bin"] = feature_profile(part, day, OneSegment.of(by, name))
        digests.append([by, name, content_hash(part)])
    return Profiles(_zipped(files), _hash(digests), len(files))


def segmented_performance(
    scored: pd.DataFrame, segments: Mapping[str, pd.Series], day: date, classes: Sequence[str]
) -> Profiles:
    """The profiles of `performance_profile`, one for each segment. `scored`: label, prediction and score, a row for each label."""
    without_network()
    files: dict[str, bytes] = {}
    digests = []
    for by, name, rows in _each(segments):
        part = scored[rows]
        truth, said, scores = (part[column].tolist() for column in ("label", "prediction", "score"))
        profile = performance_profile(truth, said, scores, day, classes, OneSegment.of(by, name))
        files[f"{by}-{len(files):05d}.bin"] = profile
        digests.append([by, name, performance_content_hash(truth, said, scores)])
    return Profiles(_zipped(files), _hash(digests), len(files))


def refuse_too_many(segments: Mapping[str, pd.Series], most: int, day: date) -> None:
    """Raises NeedsAttention where more segments than `most` would be published."""
    counts = {by: int(names.nunique()) for by, names in segments.items()}
    if sum(counts.values()) > most:
        told = ", ".join(f"{by} {count:,}" for by, count in counts.items())
        raise NeedsAttention(
            f"publish.segments has {sum(counts.values()):,} segments on {day} ({told}); publish.most_segments allows {most:,}. Take a "
            "segmentation out of publish.segments, or raise publish.most_segments, then clear the step"
        )


def _each(segments: Mapping[str, pd.Series]) -> Iterator[tuple[str, str, pd.Series]]:
    """Each segment with its rows, in the order of the names."""
    for by, names in segments.items():
        for name in sorted(names.dropna().unique()):
            yield by, str(name), names == name


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _OLDEST), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _hash(digests: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()

"""The files of whylogs profiles: the same profile gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from whylogs.core import DatasetProfileView
    from whylogs.core.segment import Segment
    from whylogs.core.segmentation_partition import SegmentationPartition


@dataclass(frozen=True)
class OneSegment:
    """A segment as whylogs has it: the `partition` is the segmentation, made by whylogs' `segment_on_column`."""

    segment: Segment
    partition: SegmentationPartition

    @classmethod
    def of(cls, by: str, name: str) -> OneSegment:
        """The segment `name` of the segmentation `by`."""
        from whylogs.core.segment import Segment
        from whylogs.core.segmentation_partition import segment_on_column

        partition = segment_on_column(by)[by]
        return cls(Segment((name,), partition.id), partition)


class _NamedBytes(io.BytesIO):
    """whylogs asks a file for its name."""

    name = "profile.bin"


def serialized(view: DatasetProfileView, of: OneSegment | None = None) -> bytes:
    """The profile's file: v0 where it has performance metrics, since v1 drops them; else v1. `of`: the segment whose profile it is, which
    then stands in the file, as its tag."""
    if view.model_performance_metrics is not None:
        from whylogs.migration.converters import v1_to_dataset_profile_message_v0

        segment, partition = (of.segment, of.partition) if of else (None, None)
        return _delimited(v1_to_dataset_profile_message_v0(view, segment, partition))
    if of is None:
        return _in_key_order(view.serialize())
    from whylogs.core.view.segmented_dataset_profile_view import SegmentedDatasetProfileView

    file = _NamedBytes()
    SegmentedDatasetProfileView(profile_view=view, segment=of.segment, partition=of.partition)._write_v1(file)
    return _in_key_order(file.getvalue())


def _in_key_order(v1: bytes) -> bytes:
    """The same v1 file with its protobuf maps in key order. The lengths, and with them the offsets, stay."""
    from whylogs.core.proto import ChunkHeader, ChunkMessage, DatasetProfileHeader, DatasetSegmentHeader
    from whylogs.core.utils import read_delimited_protobuf
    from whylogs.core.view.dataset_profile_view import WHYLOGS_MAGIC_HEADER_BYTES as MAGIC

    source = io.BytesIO(v1[len(MAGIC) :])
    out = io.BytesIO()
    out.write(MAGIC)
    out.write(_delimited(read_delimited_protobuf(source, DatasetSegmentHeader)))
    header = read_delimited_protobuf(source, DatasetProfileHeader)
    out.write(_delimited(header))
    for _ in header.column_offsets:
        chunk_header = read_delimited_protobuf(source, ChunkHeader)
        chunk = ChunkMessage()
        chunk.ParseFromString(source.read(chunk_header.length))
        out.write(_delimited(chunk_header))
        out.write(chunk.SerializeToString(deterministic=True))
    return out.getvalue()


def _delimited(message: Message) -> bytes:
    from google.protobuf.internal.encoder import _VarintBytes

    data = message.SerializeToString(deterministic=True)
    varint: Callable[[int], bytes] = _VarintBytes
    return varint(len(data)) + data

"""Bodies of requests that are not what any route wants."""

BROKEN = [
    b"{", b"\xff\xfe", b"[" * 200_000, b"9" * 5000, b"null", b"[]", b"1", b'"text"', b'{"a": NaN}', b"[null]", b"[[]]", b"{}",
    b'{"task_id": [], "output_values": []}', b'{"token": {"a": 1}}', b'{"token": "\\ud800"}', b'[{"pool_id": {}, "input_values": 1}]',
    b'{"id": {}, "fault": [], "times": {}}', b'{"pool_id": [], "user_id": {}, "answers": 3}', b'{"task_id": "t", "output_values": {"a": NaN}}',
    b'{"task_id": "\\ud800", "output_values": {"\\ud800": "\\ud800"}}',
]  # fmt: skip

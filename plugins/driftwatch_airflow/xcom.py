"""What a task hands over to other tasks. Airflow calls it an XCom."""

from __future__ import annotations

from typing import Any

# JSON of small counts, ids and paths, in the form that version 0.1 handed over. Airflow stores it and knows no type for it.
XCom = dict[str, Any]

"""What a task hands over to others."""

from __future__ import annotations

from typing import Any

# JSON of small counts, ids and paths, in the form that 0.1 has handed over: Airflow stores it, and asks for no type.
XCom = dict[str, Any]

"""What a task says while it waits."""

from __future__ import annotations

import logging
from types import SimpleNamespace

from driftwatch_airflow.waiting import say


def test_a_login_in_an_errors_text_reaches_neither_the_xcom_nor_the_log(caplog):
    xcoms: dict[str, str] = {}
    operator = SimpleNamespace(log=logging.getLogger("task"))
    ti = SimpleNamespace(xcom_push=lambda key, value: xcoms.update({key: value}))
    with caplog.at_level(logging.INFO, "task"):
        say(operator, {"ti": ti}, "OSError: no answer of postgresql://reader:hunter2@db/truth")
    assert xcoms["waiting"].endswith("UTC: OSError: no answer of postgresql://reader:***@db/truth")
    assert "hunter2" not in caplog.text

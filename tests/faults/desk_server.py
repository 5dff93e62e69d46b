"""A desk as a process of its own, with a door in front that fails when a test says so: `python -m tests.faults.desk_server FILE`."""

from __future__ import annotations

import itertools
import sys
import time

from driftwatch_sandbox.faults import FaultBoard, FaultMiddleware, control_router
from driftwatch_servers.desk.app import Settings, create_app
from driftwatch_servers.serving import serve

TOKEN = "desk-fault-token"
_SECONDS = 0.5  # that pass each time somebody looks at the clock: nobody answers in haste


def main() -> None:
    steps, board = itertools.count(), FaultBoard()
    settings = Settings(f"sqlite:///{sys.argv[1]}", TOKEN, clock=lambda: time.time() + _SECONDS * next(steps))
    app = create_app(settings)
    app.include_router(control_router(board))
    door = FaultMiddleware(app, board, lambda code, message, payload: {"message": message})
    serve(door, "127.0.0.1", 0)


if __name__ == "__main__":
    main()

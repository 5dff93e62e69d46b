"""Command line of the Toloka stand-in."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from driftwatch_sandbox.toloka import TOKEN_VARIABLE
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import serve


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m driftwatch_sandbox.toloka",
        description=f"Toloka API stand-in. Clients authorise with the token in the environment variable {TOKEN_VARIABLE}.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port; the first line of output names it")
    parser.add_argument("--database", type=Path, required=True, help="SQLite file; made if it is missing")
    parser.add_argument("--balance", type=float, default=1000.0, help="dollars on the account, if the database is new")
    parser.add_argument("--crowd", action=argparse.BooleanOptionalAction, default=True, help="simulated workers answer")
    parser.add_argument("--truth", type=Path, help="CSV file image_id,label, which only the crowd knows")
    parser.add_argument("--people", type=Path, help="JSON file {name: token} of people who may label at /label/")
    parser.add_argument(
        "--crowd-speed", type=float, default=60.0, help="how many seconds of the crowd pass in one second"
    )
    parser.add_argument("--seed", type=int, default=7, help="chooses the workers and their answers")
    parser.add_argument(
        "--resolve-images",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="workers fetch each image; without it, the image id is the last part of the image's URL, without its suffix",
    )
    parser.add_argument("--operation-seconds", type=float, default=0.2, help="how long an operation stays RUNNING")
    options = vars(parser.parse_args(arguments))
    host, port = options.pop("host"), options.pop("port")
    try:
        app = create_app(Settings(token=os.environ.get(TOKEN_VARIABLE, ""), **options))
    except ValueError as error:
        sys.exit(str(error))
    serve(app, host, port)


if __name__ == "__main__":
    main()

"""The command line, `driftwatch`: the first champion, the model registry, what counts as usual, and what a monitor file would do.

On s3:// storage the login comes from the environment, as for the AWS command line (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_PROFILE, …), and AWS_ENDPOINT_URL names another S3 server.

One file for each command: its arguments and its words. What it does is the domain's.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command. Returns 0, or, with one message on standard error, 1 where it failed and 2 where the command line or the monitor
    file is wrong."""
    from driftwatch.cli.failures import exit_code, explain

    options = parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("driftwatch: stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if options.debug:
            traceback.print_exc()
        print(f"driftwatch: {explain(error)}", file=sys.stderr)
        return exit_code(error)
    return 0


def parser() -> argparse.ArgumentParser:
    """Every command with its arguments; each sets `run`, a function of the options."""
    from driftwatch.cli import (
        challenger,
        champion,
        check,
        deploy,
        doctor,
        episodes,
        forget,
        keep,
        migrate,
        models,
        now,
        reference,
        verdicts,
    )

    made = argparse.ArgumentParser(
        prog="driftwatch", description="Watches image classifiers; this is its command line."
    )
    made.set_defaults(debug=False)
    # Understood before and after the command.
    everywhere = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    for place in (made, everywhere):
        place.add_argument("--debug", action="store_true", help="also show where in the program an error arose")
    commands = made.add_subparsers(required=True, metavar="COMMAND")
    for command in (
        champion,
        challenger,
        models,
        reference,
        now,
        verdicts,
        episodes,
        check,
        doctor,
        keep,
        forget,
        migrate,
        deploy,
    ):
        command.add(commands, everywhere)
    return made

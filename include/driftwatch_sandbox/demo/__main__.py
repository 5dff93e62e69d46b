"""`python -m driftwatch_sandbox.demo`: the simulated week; with `--try`, a person's own classifier; with `--serve` or `--label`, what a run left."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from driftwatch.errors import DriftwatchError
from driftwatch_sandbox.demo.homes import VAR, finished, fresh, only_one
from driftwatch_sandbox.demo.processes import ServerFailed
from driftwatch_sandbox.demo.progress import Progress
from driftwatch_sandbox.demo.simulation import Simulation, Story
from driftwatch_sandbox.demo.world import World, until_interrupted

DEMO, TRY = VAR / "demo", VAR / "try"


def play(console: Console, home: Path, story: Story, kind: Callable[[Path, Any, Progress], Simulation]) -> None:
    """Plays a story and tells what was found. The last finished run is removed only when this one is complete."""
    progress = Progress(console, float(os.environ.get("DRIFTWATCH_STARTED") or time.time()))
    progress.timings["install"] = round(time.time() - progress.started, 1)
    with fresh(home, progress.say):
        simulation = kind(home, story, progress)
        simulation.run()
    simulation.tell()
    which = "" if home == DEMO else f" OF={home.name}"
    console.print(f"Look around in Airflow: make ui{which}", highlight=False)


def serve(console: Console, home: Path) -> None:
    """Airflow's UI and the stand-ins on the state that a run left, until Ctrl-C."""
    from driftwatch_sandbox.demo.command_line import write_environment
    from driftwatch_sandbox.demo.label_servers import world_of

    world = world_of(finished(home))
    with until_interrupted(console, world.processes):
        console.print("Starting Airflow and the stand-ins …")
        world.refuse_taken_ports()
        world.start_stand_ins()
        world.start_airflow()
        world.wait_until_ready()
        console.print(
            f"Airflow: {world.url('airflow')}\nLogin:   admin / {world.secrets.password}\n"
            f"Shell:   source {shlex.quote(str(write_environment(world)))}, then airflow dags list\nStop:    Ctrl-C",
            highlight=False,
            soft_wrap=True,
        )


def label(console: Console, home: Path) -> None:
    # When it is imported, toloka-kit warns that setuptools will change. Whoever runs this can do nothing about it.
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")
    from driftwatch_sandbox.demo.label import label

    label(console, World(finished(home)))


def main() -> int:
    options = _options()
    console = Console()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell that starts this in the background makes it ignore SIGINT
        signal.signal(number, signal.default_int_handler)
    try:
        with only_one():
            if options.serve:
                serve(console, VAR / options.of)
            elif options.label:
                label(console, VAR / options.of)
            elif options.monitor:
                from driftwatch_sandbox.demo.own import Own

                own = Own(options.monitor, options.images, options.model)
                for line in own.promises(TRY):
                    console.print(line, highlight=False, markup=False, soft_wrap=True)
                play(console, TRY, own, Simulation)
            elif options.labels != "toloka":
                from driftwatch_sandbox.demo.labelled import LabelledSimulation, LabelledWeek

                play(console, DEMO, LabelledWeek(options.photos, options.labels), LabelledSimulation)
            elif options.broken:
                from driftwatch_sandbox.demo.doors import DoorsWeek

                play(console, DEMO, DoorsWeek(options.photos, options.broken), Simulation)
            elif options.predictions == "champion":
                from driftwatch_sandbox.demo.week import Week

                play(console, DEMO, Week(options.photos), Simulation)
            else:
                from driftwatch_sandbox.demo.elsewhere import ElsewhereSimulation, ElsewhereWeek

                play(console, DEMO, ElsewhereWeek(options.photos, options.predictions), ElsewhereSimulation)
    except KeyboardInterrupt:
        console.print("Stopped; nothing is left running.")
        return 130
    except (DriftwatchError, ServerFailed) as error:
        console.print("[bold red]It did not work:[/]", end=" ")
        console.print(str(error), highlight=False, markup=False, soft_wrap=True)
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m driftwatch_sandbox.demo", description=__doc__)
    parser.add_argument(
        "--photos", type=Path, help="folder of real photos, <class>/<file>; without it, photos are drawn"
    )
    parser.add_argument(
        "--predictions",
        choices=("champion", "onnx", "logged"),
        default="champion",
        help="where the week's answers come from: the model that Driftwatch trains; the team's ONNX model; what production logged",
    )
    parser.add_argument(
        "--labels",
        choices=("toloka", "label_studio", "desk", "table"),
        default="toloka",
        help="where the week's labels come from: the stand-in of Toloka; a real Label Studio; Driftwatch's own desk; a table",
    )
    parser.add_argument(
        "--broken",
        choices=("door-1", "door-2", "door-3"),
        help="three doors' cameras instead of one, of which this one breaks",
    )
    parser.add_argument(
        "--try", dest="monitor", type=Path, metavar="MONITOR.yaml", help="try this monitor file instead"
    )
    parser.add_argument("--images", type=Path, help="with --try: folder of labelled images, <class>/<file>")
    parser.add_argument(
        "--model", type=Path, help="with --try: a .keras file to import; without it, a model is trained"
    )
    parser.add_argument("--label", action="store_true", help="the labelling page, on images of a finished run")
    parser.add_argument("--serve", action="store_true", help="serve what a finished run left")
    parser.add_argument("--of", choices=("demo", "try"), default="demo", help="whose run --serve and --label show")
    options = parser.parse_args()
    if (options.labels != "toloka") + (options.predictions != "champion") + bool(options.broken) > 1:
        parser.error("LABELS, PREDICTIONS and BROKEN are weeks of their own: give one of them")
    if bool(options.monitor) != bool(options.images):
        parser.error(
            "--try and --images go together: make try MONITOR=my.yaml IMAGES=<folder>, where IMAGES has <class>/<file>"
        )
    return options


if __name__ == "__main__":
    sys.exit(main())

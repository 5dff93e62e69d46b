"""What a person sees while the demo runs: one changing line on a terminal, plain lines elsewhere. Also notes where the time went."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status


class Progress:
    """The phases and their seconds. `started`: when everything began, in seconds since 1970."""

    def __init__(self, console: Console, started: float) -> None:
        self.console = console
        self.started = started
        self.timings: dict[str, float] = {}
        self._status: Status | None = None
        self._shown = ""

    def elapsed(self) -> str:
        seconds = int(time.time() - self.started)
        return f"{seconds // 60}:{seconds % 60:02d}"

    @contextmanager
    def phase(self, name: str, text: str) -> Iterator[None]:
        """Shows `text` while it runs, and adds its seconds to the timings under `name`."""
        begun = time.monotonic()
        self.show(text)
        try:
            yield
        finally:
            self.timings[name] = round(self.timings.get(name, 0) + time.monotonic() - begun, 1)

    def show(self, text: str) -> None:
        """Shows the current state. On a terminal it replaces the changing line; elsewhere it prints a line when the text has changed."""
        if self.console.is_terminal:
            if self._status is None:
                self._status = self.console.status("")
                self._status.start()
            self._status.update(f"[dim]{self.elapsed()}[/]  {text}")
        elif text != self._shown:
            self.console.print(f"{self.elapsed()}  {text}", highlight=False, soft_wrap=True)
        self._shown = text

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self.console.print(f"[dim]{self.elapsed()}[/]  {text}", highlight=False, soft_wrap=True)

    def stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

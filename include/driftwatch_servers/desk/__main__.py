"""`python -m driftwatch_servers.desk`."""

from __future__ import annotations

from driftwatch_servers.desk.commands import main

if __name__ == "__main__":
    main()

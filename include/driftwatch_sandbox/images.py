"""The old name of the image server: `python -m driftwatch_sandbox.images` still starts `driftwatch_servers.images`."""

from driftwatch_servers.images import main

if __name__ == "__main__":
    main()

"""`python -m driftwatch.cli`."""

import sys

from driftwatch.cli import main

sys.exit(main())

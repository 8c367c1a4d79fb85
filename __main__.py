"""Run the command line: `python -m planktonbench`."""

import sys

from .benchmarks.cli.app import main

if __name__ == "__main__":
    sys.exit(main())

"""Speed, measured in one run: `tox -e bench-speed`.

Where two ways are compared they do the same work on the same arrays, in turn, and the ratio is printed. A figure over
its limit is marked and does not fail the run: seconds depend on the machine and on what else it does; ratios do less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ..console.output import print_table
from ..execution.environment import library_versions, machine_name, now
from .cases import auditor, evaluator, help_text, reading, simulator, source001, workers
from .comparing import comparing
from .image_preparation import preparing
from .measuring import measuring
from .training import training

HEADER = ("what", "planktonbench", "beside", "ratio", "limit", "")


def main() -> None:
    """Measure all of it and print a table."""
    parser = argparse.ArgumentParser(description="Speed, as ratios measured in one run.")
    parser.add_argument("--images", type=Path, help="folder, zip or tar file to measure and prepare; else simulated")
    images = parser.parse_args().images
    if images and not images.exists():
        parser.error(f"--images: {images} does not exist; expected a folder, zip or tar file of images")
    versions = library_versions()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [help_text(), evaluator(), comparing(), source001(), reading(folder)]
        lines += [simulator(folder), auditor(folder), workers(folder)]
        lines += measuring(folder, images)
        drawn = images or folder / "simulated" / "imgs.zip"
        lines += [*preparing(folder, drawn), *training(folder, drawn)]
    sys.stdout.write(f"{machine_name()}, {now()}, numpy {versions['numpy']}, xgboost {versions['xgboost']}\n\n")
    print_table(HEADER, [line.cells() for line in lines])


if __name__ == "__main__":
    main()

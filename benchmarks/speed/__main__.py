"""Speed benchmarks in a single run: `tox -e bench-speed`.

Alternatives that are compared do the same work on the same arrays and take turns; the ratio is printed. Values beyond
their limit are marked but do not fail the run, because times depend on the machine and its load. Ratios do so less.
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

HEADER = ("task", "planktonbench", "compared with", "ratio", "limit", "")


def main() -> None:
    """Run all benchmarks and print a table."""
    parser = argparse.ArgumentParser(description="Measure the speed of planktonbench and of alternatives.")
    parser.add_argument("--images", type=Path, help="folder, zip or tar file of images (default: simulated images)")
    images = parser.parse_args().images
    if images and not images.exists():
        parser.error(f"--images: {images} does not exist; expected a folder, zip or tar file of images")
    versions = library_versions()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [help_text(), evaluator(), comparing(), source001(), reading(folder)]
        lines += [simulator(folder), auditor(folder), workers(folder)]
        lines += measuring(folder, images)
        source = images or folder / "simulated" / "imgs.zip"
        lines += [*preparing(folder, source), *training(folder, source)]
    sys.stdout.write(f"{machine_name()}, {now()}, numpy {versions['numpy']}, xgboost {versions['xgboost']}\n\n")
    print_table(HEADER, [line.cells() for line in lines])


if __name__ == "__main__":
    main()

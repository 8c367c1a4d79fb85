"""Speed benchmarks in a single run: `tox -e bench-speed`, or some of them with `--only GROUP,…`.

Alternatives that are compared do the same work on the same arrays and take turns; the ratio is printed. Values beyond
their limit are marked but do not fail the run, because times depend on the machine and its load. Ratios do so less.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...data_manifests.errors import did_you_mean
from ..console.output import print_table
from ..execution.environment import library_versions, machine_name, now
from .cases import auditor, evaluator, help_text, reading, simulator, source001, workers
from .comparing import comparing
from .embedding_networks import embedding_networks
from .image_preparation import preparing
from .imprinting import imprinting
from .measuring import measuring
from .training import training

if TYPE_CHECKING:
    from collections.abc import Callable

    from .cases import Line

HEADER = ("task", "planktonbench", "compared with", "ratio", "limit", "")


@dataclass(frozen=True)
class BenchmarkImages:
    """Images for the benchmarks, and a folder for temporary files.

    Attributes:
        folder: folder for temporary files.
        given: folder, zip or tar file of images; None simulates images.

    """

    folder: Path
    given: Path | None

    def images(self) -> Path:
        """Return the images, simulated if none were given."""
        simulated = self.folder / "simulated" / "imgs.zip"
        if self.given is None and not simulated.is_file():
            simulator(self.folder)
        return self.given or simulated


GROUPS: dict[str, Callable[[BenchmarkImages], list[Line]]] = {
    "help": lambda _: [help_text()],
    "scoring": lambda _: [evaluator(), comparing()],
    "trees": lambda _: [source001()],
    "reading": lambda source: [reading(source.folder)],
    "simulating": lambda source: [simulator(source.folder), auditor(source.folder)],
    "jobs": lambda source: [workers(source.folder)],
    "measuring": lambda source: measuring(source.folder, source.given),
    "preparing": lambda source: preparing(source.folder, source.images()),
    "training": lambda source: training(source.folder, source.images()),
    "embeddings": lambda _: embedding_networks(),
    "imprinting": lambda source: imprinting(source.images()),
}
"""Groups of benchmarks, by name."""


def main() -> None:
    """Run the benchmarks and print a table."""
    parser = argparse.ArgumentParser(description="Measure the speed of planktonbench and of alternatives.")
    parser.add_argument("--images", type=Path, help="folder, zip or tar file of images (default: simulated images)")
    parser.add_argument("--only", default=",".join(GROUPS), help="groups, separated by commas (default: %(default)s)")
    options = parser.parse_args()
    if options.images and not options.images.exists():
        parser.error(f"--images: {options.images} does not exist; expected a folder, zip or tar file of images")
    names = options.only.split(",")
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        parser.error(f"--only: there is no group '{unknown[0]}'. {did_you_mean(unknown[0], GROUPS)}")
    versions = library_versions()
    with tempfile.TemporaryDirectory() as name:
        source = BenchmarkImages(Path(name), options.images)
        lines = [line for group in names for line in GROUPS[group](source)]
    sys.stdout.write(f"{machine_name()}, {now()}, numpy {versions['numpy']}, xgboost {versions['xgboost']}\n\n")
    print_table(HEADER, [line.cells() for line in lines])


if __name__ == "__main__":
    main()

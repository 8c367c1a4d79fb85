"""Comparison of simulated features with published quartiles of the real data set.

Run with `python -m planktonbench.benchmarks.studies.simulation_fidelity DIR`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ...data_manifests.errors import DataError
from ...data_manifests.files.tables import SPELLINGS, read_table
from ...data_manifests.readers.challenge import NATIVE
from ...data_manifests.simulation.marker import is_simulated
from ...data_manifests.simulation.published import compare_with_published
from ..console.output import print_table, write_message

HEADER = ("feature", "simulated median", "published 25 %", "published 75 %", "within")


def compare(folder: Path) -> None:
    """Print the simulated median and the published quartiles of each feature, and the number of medians within them.

    Raises:
        DataError: if the folder has no simulated data set, or its native table is unreadable.

    """
    if not is_simulated(folder):
        message = f"{folder} has no simulated data set. Create one: planktonbench data simulate flowcam --out DIR"
        raise DataError(message)
    table = compare_with_published(read_table(folder / NATIVE, DataError, text=SPELLINGS["object_id"]))
    numbers = table[["median", "low", "high"]].map("{:.6g}".format)
    verdicts = table["within"].map({True: "yes", False: "no"})
    print_table(HEADER, [list(row) for row in numbers.assign(within=verdicts).itertuples(name=None)])
    sys.stdout.write(f"{table['within'].sum()} of {len(table)} medians are within the published quartiles.\n")


def main() -> int:
    """Compare the folder named on the command line and return the exit code."""
    parser = argparse.ArgumentParser(description="Compare a simulated data set with published quartiles.")
    parser.add_argument("folder", type=Path, help="output folder of 'planktonbench data simulate flowcam --out'")
    try:
        compare(parser.parse_args().folder)
    except DataError as error:
        write_message(f"planktonbench: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

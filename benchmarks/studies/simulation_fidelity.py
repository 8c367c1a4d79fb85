"""Comparison of a simulated set with what was published of the real one.

Run it with `python -m planktonbench.benchmarks.studies.simulation_fidelity DIR`.
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
    """Print each feature's simulated median beside the published quartiles, and how many lie between them.

    Raises:
        DataError: the folder holds no simulated data set, or its native table is unreadable.

    """
    if not is_simulated(folder):
        message = f"{folder} holds no simulated data set. Make one: planktonbench data simulate flowcam --out DIR"
        raise DataError(message)
    table = compare_with_published(read_table(folder / NATIVE, DataError, text=SPELLINGS["object_id"]))
    numbers = table[["median", "low", "high"]].map("{:.6g}".format)
    answers = table["within"].map({True: "yes", False: "no"})
    print_table(HEADER, [list(row) for row in numbers.assign(within=answers).itertuples(name=None)])
    sys.stdout.write(f"{table['within'].sum()} of {len(table)} medians lie within the published quartiles.\n")


def main() -> int:
    """Compare the folder that was named."""
    parser = argparse.ArgumentParser(description="A simulated data set beside what was published of the real one.")
    parser.add_argument("folder", type=Path, help="what 'planktonbench data simulate flowcam --out' wrote")
    try:
        compare(parser.parse_args().folder)
    except DataError as fault:
        write_message(f"planktonbench: {fault}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

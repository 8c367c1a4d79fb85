"""Export reference results from a results folder.

python -m planktonbench.benchmarks.reference.export results/ndsb --tracks xgb-native,fusion-stack \
    --command "planktonbench run …"
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, PlanktonbenchError, listed
from ...data_manifests.files.atomic_writes import atomic_folder
from ...reports.results.stored_run import StoredRun, read_runs, scores_table
from ...reports.run_files.card import CARD
from ...reports.run_files.predictions import SCORE
from ...reports.run_files.run_folder import PREDICTIONS, SCORES, run_folder, truth_path
from .locate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

SEED = 0
LARGEST_MB = 5.0
BITS = 10
README = "README.md"
COMPRESSION = {"compression": "zstd", "compression_level": 19}


def export_runs(out: Path, tracks: Sequence[str], command: str, to: Path = FOLDER) -> float:
    """Replace the folder of reference results by compact copies of the runs of some tracks with seed 0.

    Predicted taxa are unchanged, scores are rounded to eleven significant bits, and validation rows are omitted. On any
    error the folder is unchanged.

    Args:
        out: a results folder with finished runs on real data, with the suite's full budget.
        tracks: names of the tracks.
        command: command that created the results folder, for reproduction.
        to: the folder of reference results.

    Returns:
        Size of the folder in MB.

    Raises:
        DataError: if a run is missing, did not finish, or used simulated data or --quick; if its scores would change;
            or if the folder would become too large for a package.

    """
    runs = [_run_of(out, track) for track in tracks]
    with atomic_folder(to, durable=False) as new:
        for run in runs:
            _copy(run, new)
        exported = read_runs(new)
        _check_same_scores(runs, exported)
        scores_table(exported).to_csv(new / SCORES, index=False)
        (new / README).write_text(_readme(exported, command), encoding="utf-8")
        size = sum(path.stat().st_size for path in new.rglob("*") if path.is_file()) / 1e6
        if size > LARGEST_MB:
            message = f"The runs of {listed(tracks)} take {size:.1f} MB; expected at most {LARGEST_MB:g}. Export fewer."
            raise DataError(message)
    return size


def rounded(scores: NDArray[np.float32], bits: int = BITS) -> NDArray[np.float32]:
    """Round to `bits` binary digits after the first: each value changes by a fraction of 2^-(bits + 1) at most.

    Rows of probabilities still sum to one within that fraction, and the many equal bits compress well.

    Args:
        scores: any shape.
        bits: 1 to 23, of the 23 of a float32.

    """
    mantissa, exponent = np.frexp(scores)
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, bits + 1)), exponent - bits - 1), np.float32)


def _run_of(out: Path, track: str) -> StoredRun:
    """Return the run of a track with seed 0, if it may be exported.

    Raises:
        DataError: if there is no such run, or it must not be exported.

    """
    matches = [run for run in read_runs(out) if run.card.track.name == track and run.card.split.seed == SEED]
    if len(matches) != 1:
        message = f"{out} contains {len(matches)} runs of '{track}' with seed {SEED}; expected one."
        raise DataError(message)
    run, card = matches[0], matches[0].card
    faults = {
        f"its status is {card.status}": card.status != "done",
        "it is a run on simulated data, not on real plankton": card.data.simulated,
        "it used the smaller budget of --quick": card.quick,
    }
    problems = [fault for fault, present in faults.items() if present]
    if problems:
        message = f"{run.folder} cannot become a reference: {listed(problems)}. Expected a finished run on real data."
        raise DataError(message)
    return run


def _copy(run: StoredRun, to: Path) -> None:
    """Write compact copies of card, predictions and truth of a run."""
    import pandas as pd

    folder, truth = (
        run_folder(to, run.card),
        truth_path(to, run.card.data.name, run.card.split.name, run.card.split.seed),
    )
    for parent in (folder, truth.parent):
        parent.mkdir(parents=True, exist_ok=True)
    table = pd.read_parquet(run.folder / PREDICTIONS)
    columns = [name for name in table.columns if str(name).startswith(SCORE)]
    table[columns] = rounded(table[columns].to_numpy(np.float32))
    _write_small(table, folder / PREDICTIONS, columns)
    _write_small(run.truth, truth, [])
    (folder / CARD).write_text(run.card.to_text(), encoding="utf-8")


def _write_small(table: pd.DataFrame, path: Path, floats: list[str]) -> None:
    """Write parquet with byte-stream splitting of float columns, which halves their size."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = pa.Table.from_pandas(table, preserve_index=False)
    texts = [name for name in content.column_names if name not in floats]
    pq.write_table(content, path, use_dictionary=texts, use_byte_stream_split=floats, **COMPRESSION)


def _check_same_scores(runs: Sequence[StoredRun], exported: Sequence[StoredRun]) -> None:
    """Check that each copy has the same scores as its run.

    Raises:
        DataError: if the scores differ.

    """
    copies = {(run.card.data.name, run.card.track.name): run for run in exported}
    for run in runs:
        copy = copies[run.card.data.name, run.card.track.name]
        if run.row() != copy.row():
            message = f"{copy.folder} and {run.folder} have different scores; expected the same row of {SCORES}."
            raise DataError(message)


def _readme(exported: Sequence[StoredRun], command: str) -> str:
    """Return the README, with the scores of the runs, the command that created them, and the source of the data."""
    lines = "\n".join(f"* `{run.card.data.name}/{run.card.track.name}`: {run.score}" for run in exported)
    citations = "\n".join(dict.fromkeys(run.card.data.citation for run in exported))
    return f"""# Reference results

Runs on real data, seed 0, for comparison: `planktonbench compare reference:<dataset>/<track> mine.csv`. Each card
contains options, versions and machine. Scores are rounded to eleven significant bits; the predicted taxa are unchanged,
so `planktonbench report` on a copy of this folder gives the same numbers.

Created by: `{command}`

{lines}

Data: {citations}
"""


def main() -> int:
    """Export the runs named on the command line and return the exit code."""
    parser = argparse.ArgumentParser(description="Export reference results from a results folder.")
    parser.add_argument("out", type=Path, help="results folder")
    parser.add_argument("--tracks", required=True, help="comma-separated names")
    parser.add_argument("--command", required=True, help="command that created the results folder")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of reference results (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        size = export_runs(arguments.out, arguments.tracks.split(","), arguments.command, arguments.to)
    except PlanktonbenchError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{arguments.to}: {size:.2f} MB\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

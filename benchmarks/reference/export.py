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
from ...data_manifests.files.tables import table_sha256
from ...reports.results.stored_run import StoredRun, read_runs, scores_table
from ...reports.run_files.card import CARD
from ...reports.run_files.predictions import SCORE
from ...reports.run_files.run_folder import PREDICTIONS, SCORES, VALID, run_folder, truth_path
from .locate import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

SEED = 0
LARGEST_MB = 5.0
STEP, BITS = 2.0**-12, 3
FINE_FROM, POWERS_BELOW = 2.0**-9, 2.0**-13
README = "README.md"
COMPRESSION = {"compression": "zstd", "compression_level": 19}


def export_runs(out: Path, tracks: Sequence[str], command: str, to: Path = FOLDER) -> float:
    """Replace the folder of reference results by compact copies of all runs of some tracks.

    Predicted taxa are unchanged. Scores are rounded (see `rounded`) and only kept for test rows of seed 0; other files
    of a run are omitted. The hashes in the cards are those of the copies, beside those of the original tables. On any
    error the folder is unchanged.

    Args:
        out: a results folder with finished runs on real data, with the suite's full budget.
        tracks: names of the tracks.
        command: command that created the results folder, for reproduction.
        to: the folder of reference results.

    Returns:
        Size of the folder in MB.

    Raises:
        DataError: if a track has no run with seed 0; if a run did not finish, or used simulated data or --quick; if its
            scores would change; or if the folder would become too large for a package.

    """
    stored = read_runs(out)
    runs = [run for track in tracks for run in _runs_of(stored, track, out)]
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


def rounded(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round probabilities so that few different values remain, which compress well.

    Scores from `FINE_FROM` up become multiples of `STEP`; smaller ones keep `BITS` binary digits after the first, and
    those below `POWERS_BELOW` become the nearest power of two, so that none becomes zero. The highest score of a row
    then takes the remainder, so that the row sums to one within `STEP`.

    Args:
        scores: shape (n_objects, n_classes), from 0 to 1, rows sum to one.

    """
    values = np.asarray(scores, np.float64)
    mantissa, exponent = np.frexp(values)
    fine = np.round(values / STEP) * STEP
    few_digits = np.ldexp(np.round(np.ldexp(mantissa, BITS + 1)), exponent - BITS - 1)
    powers = np.where(values > 0, np.ldexp(1.0, exponent - (mantissa < np.sqrt(0.5))), 0)
    result = np.select([values >= FINE_FROM, values >= POWERS_BELOW], [fine, few_digits], powers)
    rows, highest = np.arange(len(values)), values.argmax(axis=1)
    result[rows, highest] = 0
    result[rows, highest] = np.round((1 - result.sum(axis=1)) / STEP) * STEP
    return np.asarray(result, np.float32)


def _runs_of(stored: Sequence[StoredRun], track: str, out: Path) -> list[StoredRun]:
    """Return the runs of a track, if they may be exported.

    Raises:
        DataError: if there is not exactly one run for each seed, or none with seed 0, or a run must not be exported.

    """
    runs = [run for run in stored if run.card.track.name == track]
    seeds = [run.card.split.seed for run in runs]
    if seeds.count(SEED) != 1 or len(set(seeds)) < len(seeds):
        message = (
            f"{out} contains {seeds.count(SEED)} runs of '{track}' with seed {SEED} and {len(seeds)} in all; expected "
            "one for each seed, of one data set and split."
        )
        raise DataError(message)
    for run in runs:
        _check_exportable(run)
    return runs


def _check_exportable(run: StoredRun) -> None:
    card = run.card
    faults = {
        f"its status is {card.status}": card.status != "done",
        "it is a run on simulated data, not on real plankton": card.data.simulated,
        "it used the smaller budget of --quick": card.quick,
    }
    problems = [fault for fault, present in faults.items() if present]
    if problems:
        message = f"{run.folder} cannot become a reference: {listed(problems)}. Expected a finished run on real data."
        raise DataError(message)


def _copy(run: StoredRun, to: Path) -> None:
    """Write compact copies of card, predictions and truth of a run."""
    import pandas as pd

    card, split = run.card, run.card.split
    folder, truth = run_folder(to, card), truth_path(to, card.data.name, split.name, split.seed)
    for parent in (folder, truth.parent):
        parent.mkdir(parents=True, exist_ok=True)
    _write_small(run.truth, truth)
    tables = {path.name: pd.read_parquet(path) for path in sorted(run.folder.glob("*.parquet"))}
    copies = {name: _shortened(tables[name], name, split.seed) for name in (PREDICTIONS, VALID) if name in tables}
    for name, copy in copies.items():
        _write_small(copy, folder / name)
    card = card.changed(
        tables_sha256={name: table_sha256(copy) for name, copy in copies.items()},
        model_sha256={},  # models are not exported
        exported_from=card.hashes.exported_from or {name: table_sha256(table) for name, table in tables.items()},
        truth_sha256=card.hashes.truth or table_sha256(run.truth),
    )
    (folder / CARD).write_text(card.to_text(), encoding="utf-8")


def _shortened(table: pd.DataFrame, name: str, seed: int) -> pd.DataFrame:
    """Return a copy of a table of predictions with rounded scores for test rows of seed 0, else without scores."""
    scores = [column for column in table.columns if str(column).startswith(SCORE)]
    if name != PREDICTIONS or seed != SEED:
        return table.drop(columns=scores)
    values = table[scores].to_numpy(np.float32)
    return table.assign(**dict(zip(scores, rounded(values).T, strict=True))) if scores else table


def _write_small(table: pd.DataFrame, path: Path) -> None:
    """Write parquet with the compression of `COMPRESSION`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, **COMPRESSION)


def _check_same_scores(runs: Sequence[StoredRun], exported: Sequence[StoredRun]) -> None:
    """Check that each copy has the same scores as its run.

    Raises:
        DataError: if the scores differ.

    """
    copies = {(run.card.track.name, run.card.split.seed): run for run in exported}
    for run in runs:
        copy = copies[run.card.track.name, run.card.split.seed]
        if run.row() != copy.row():
            message = f"{copy.folder} and {run.folder} have different scores; expected the same row of {SCORES}."
            raise DataError(message)


def _readme(exported: Sequence[StoredRun], command: str) -> str:
    """Return the README, with the scores of the runs, the command that created them, and the source of the data."""
    lines = "\n".join(
        f"* `{run.card.data.name}/{run.card.track.name}` seed {run.card.split.seed}: {run.score}" for run in exported
    )
    citations = "\n".join(dict.fromkeys(run.card.data.citation for run in exported))
    return f"""# Reference results

Runs on real data for comparison: `planktonbench compare reference:<dataset>/<track> mine.csv`. Each card contains
options, versions and machine. The predicted taxa are unchanged, so `planktonbench report` on a copy of this folder
gives the same scores, and names what it leaves out. Class scores are only kept for test rows of seed {SEED}. They are
rounded to multiples of 1/{1 / STEP:.0f}, smaller ones to {BITS + 1} binary digits, and those below
1/{1 / POWERS_BELOW:.0f} to a power of two. The hashes in the cards are those of these tables, which
`planktonbench verify` checks; `exported_from` has those of the original tables.

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

"""Fill the folder of reference results from a results folder.

python -m planktonbench.benchmarks.reference.export results/ndsb --tracks xgb-native,fusion-stack \\
    --command "planktonbench run …"
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import DataError, PlanktonbenchError, listed
from ...data_manifests.files.atomic_writes import whole_folder
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


def ship(out: Path, tracks: Sequence[str], command: str, to: Path = FOLDER) -> float:
    """Make the folder of reference results anew from the runs of some tracks with seed 0, made small.

    Predictions keep what each object was called; scores are rounded to eleven significant bits. Validation rows are
    left out. When anything is wrong, the folder stays as it was.

    Args:
        out: a results folder with finished runs on real data, with the suite's full budget.
        tracks: names of the tracks.
        command: what made the results folder, for whoever wants to make it again.
        to: the folder of reference results.

    Returns:
        Size of the folder in MB.

    Raises:
        DataError: a run is not there, did not finish, is of simulated data or of --quick, its scores changed on the
            way, or the folder would become larger than a package should carry.

    """
    runs = [_run_of(out, track) for track in tracks]
    with whole_folder(to, durable=False) as part:
        for run in runs:
            _copy(run, part)
        shipped = read_runs(part)
        _refuse_change(runs, shipped)
        scores_table(shipped).to_csv(part / SCORES, index=False)
        (part / README).write_text(_readme(shipped, command), encoding="utf-8")
        size = sum(path.stat().st_size for path in part.rglob("*") if path.is_file()) / 1e6
        if size > LARGEST_MB:
            message = f"The runs of {listed(tracks)} take {size:.1f} MB; expected {LARGEST_MB:g} at most. Ship fewer."
            raise DataError(message)
    return size


def rounded(scores: NDArray[np.float32], bits: int = BITS) -> NDArray[np.float32]:
    """Round to `bits` binary digits behind the first: each value by a share of 2^-(bits + 1) at most.

    Rows of probabilities then still sum to one within that share, and the many equal bits pack well.

    Args:
        scores: any shape.
        bits: 1 to 23, of the 23 of a float32.

    """
    mantissa, exponent = np.frexp(scores)
    return np.asarray(np.ldexp(np.round(np.ldexp(mantissa, bits + 1)), exponent - bits - 1), np.float32)


def _run_of(out: Path, track: str) -> StoredRun:
    """Return the run of a track with seed 0 that may be shipped.

    Raises:
        DataError: there is none, or it may not.

    """
    found = [run for run in read_runs(out) if run.card.track.name == track and run.card.split.seed == SEED]
    if len(found) != 1:
        message = f"{out} holds {len(found)} runs of '{track}' with seed {SEED}; expected one."
        raise DataError(message)
    card = found[0].card
    faults = {
        f"its status is {card.status}": card.status != "done",
        "its data are simulated, which are no results of real plankton": card.data.simulated,
        "it used the smaller budget of --quick": card.quick,
    }
    told = [fault for fault, holds in faults.items() if holds]
    if told:
        message = f"{found[0].folder} cannot become a reference: {listed(told)}. Expected a finished run on real data."
        raise DataError(message)
    return found[0]


def _copy(run: StoredRun, to: Path) -> None:
    """Write card, predictions and truth of a run, small."""
    import pandas as pd

    folder, truth = (
        run_folder(to, run.card),
        truth_path(to, run.card.data.name, run.card.split.name, run.card.split.seed),
    )
    for place in (folder, truth.parent):
        place.mkdir(parents=True, exist_ok=True)
    table = pd.read_parquet(run.folder / PREDICTIONS)
    columns = [name for name in table.columns if str(name).startswith(SCORE)]
    table[columns] = rounded(table[columns].to_numpy(np.float32))
    _write_small(table, folder / PREDICTIONS, columns)
    _write_small(run.truth, truth, [])
    (folder / CARD).write_text(run.card.to_text(), encoding="utf-8")


def _write_small(table: pd.DataFrame, path: Path, floats: list[str]) -> None:
    """Write parquet with the bytes of floats in streams of their own, which halves them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = pa.Table.from_pandas(table, preserve_index=False)
    texts = [name for name in content.column_names if name not in floats]
    pq.write_table(content, path, use_dictionary=texts, use_byte_stream_split=floats, **COMPRESSION)


def _refuse_change(runs: Sequence[StoredRun], shipped: Sequence[StoredRun]) -> None:
    """Refuse a copy that scores otherwise than the run does.

    Raises:
        DataError: it does.

    """
    copies = {(run.card.data.name, run.card.track.name): run for run in shipped}
    for run in runs:
        copy = copies[run.card.data.name, run.card.track.name]
        if run.row() != copy.row():
            message = f"{copy.folder} scores otherwise than {run.folder}; expected the same line of {SCORES}."
            raise DataError(message)


def _readme(shipped: Sequence[StoredRun], command: str) -> str:
    """Tell what is there, how it was made, and whose data it is."""
    lines = "\n".join(f"* `{run.card.data.name}/{run.card.track.name}`: {run.score}" for run in shipped)
    citations = "\n".join(dict.fromkeys(run.card.data.citation for run in shipped))
    return f"""# Reference results

Runs on real data, seed 0, to compare with: `planktonbench compare reference:<dataset>/<track> mine.csv`. Each card
tells options, versions and machine. Scores are rounded to eleven significant bits; what an object was called is as the
run left it, so that `planktonbench report` on a copy of this folder makes the same numbers again.

Made by: `{command}`

{lines}

Data: {citations}
"""


def main() -> int:
    """Ship what the command line names; return the exit code."""
    parser = argparse.ArgumentParser(description="Fill the folder of reference results from a results folder.")
    parser.add_argument("out", type=Path, help="results folder")
    parser.add_argument("--tracks", required=True, help="names, joined by commas")
    parser.add_argument("--command", required=True, help="the command that made the results folder")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder of reference results (default: %(default)s)")
    given = parser.parse_args()
    try:
        size = ship(given.out, given.tracks.split(","), given.command, given.to)
    except PlanktonbenchError as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    sys.stdout.write(f"{given.to}: {size:.2f} MB\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Time and memory of each step for a million simulated objects: `tox -e bench-large`.

This takes about half an hour on two cores and 10 GB in the temporary folder (set TMPDIR to use another disk). Each step
runs in a separate process; memory is that of its largest process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from ...data_manifests.simulation.simulate import simulate
from ...features.measured.challenge import CHALLENGE_TABLE
from ...models.protocol.threads import available_cores
from ...reports.results.stored_run import read_runs
from ...reports.run_files.run_folder import PREDICTIONS
from ...reports.scoring.score import score
from ..console.output import print_table
from ..execution.environment import machine_name, now
from ..execution.settings import Settings
from ..run import run_suite
from ..suites.suite import TrackEntry, load_suite
from .stopwatch import Measured, in_subprocess

OBJECTS, SEED, TREES = 1_000_000, 0, 20
SIMULATE = "from planktonbench.benchmarks.speed.million_objects import draw"
LOAD = "from planktonbench.data_manifests.dataset import load"
RUN = "from pathlib import Path\nfrom planktonbench.benchmarks.speed.million_objects import run_track, score_run"


def draw(folder: str, objects: int) -> str:
    """Simulate objects on all cores; return their folder."""
    return str(simulate("flowcam", Path(folder), CHALLENGE_TABLE, objects=objects, seed=SEED, jobs=available_cores()))


def run_track(data: Path, out: Path) -> None:
    """Run xgb-source001 with few trees and one seed, from reading to the report."""
    entry = TrackEntry.model_validate({"track": "xgb-source001", "trees": TREES})
    suite = load_suite("flowcam").model_copy(update={"tracks": (entry,), "seeds": (SEED,)})
    run_suite(suite, Settings(out=out, data_dir=data))


def score_run(out: Path) -> float:
    """Score the stored predictions; return macro F1."""
    (run,) = read_runs(out)
    return score(run.truth[run.truth["part"] == "test"], run.folder / PREDICTIONS).macro_f1


def run_costs(out: Path) -> list[list[str]]:
    """Return rows of the fit and the prediction, from the run card."""
    (run,) = read_runs(out)
    split, cost = run.card.split, run.card.cost
    fitted = f"fit xgb-source001, {TREES} trees, {split.n_train:,} training rows"
    return [
        [fitted, f"{cost.fit_seconds:.1f}", f"{cost.peak_rss_mb:.0f}"],
        [f"predict {split.n_test:,} rows", f"{cost.predict_seconds:.1f}", ""],
    ]


def steps(objects: int, folder: Path) -> list[list[str]]:
    """Simulate, load, run and score a large data set.

    Args:
        objects: number of objects.
        folder: an empty folder on a disk with enough space for the images, about 8 kB each.

    Returns:
        A row for each step: name, seconds, peak memory in MB.

    """
    data, out = folder / "data", folder / "out"
    rows = [
        _row(
            f"simulate, {available_cores()} processes", in_subprocess(SIMULATE, f"draw(sys.argv[1], {objects})", data)
        ),
        _row("load: read, join and clean, list images", in_subprocess(LOAD, 'len(load("flowcam", sys.argv[1]))', data)),
    ]
    whole = in_subprocess(RUN, "run_track(Path(sys.argv[1]), Path(sys.argv[2]))", data, out)
    rows += [*run_costs(out), _row("the whole run with its report", whole)]
    scored = in_subprocess(RUN, "score_run(Path(sys.argv[1]))", out)
    return [*rows, _row(f"score, macro F1 {scored.value:.3f} with its interval", scored)]


def _row(step: str, measured: Measured) -> list[str]:
    return [step, f"{measured.seconds:.1f}", f"{measured.peak_mb:.0f}"]


def main() -> None:
    """Measure all steps and print a table."""
    parser = argparse.ArgumentParser(description="Measure time and memory of a run on a large simulated data set.")
    parser.add_argument("--objects", type=int, default=OBJECTS, help="number of objects (default: %(default)s)")
    objects = parser.parse_args().objects
    with tempfile.TemporaryDirectory() as folder:
        rows = steps(objects, Path(folder))
    sys.stdout.write(f"{objects:,} simulated objects; {machine_name()}, {now()}\n\n")
    print_table(("step", "seconds", "peak MB"), rows)


if __name__ == "__main__":
    main()

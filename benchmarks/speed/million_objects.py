"""A million simulated objects from first to last: `tox -e bench-large`, seconds and memory of each step.

It takes about half an hour on two cores, and ten gigabytes of the temporary folder (set TMPDIR to another disk). Each
step is a process of its own; its memory is that of its largest process.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd

from ...data_manifests.simulation.simulate import simulate
from ...features.measured.challenge import CHALLENGE_TABLE
from ...models.protocol.threads import available_cores
from ...reports.run_files.card import CARD, Card
from ...reports.run_files.run_folder import PREDICTIONS, truth_path
from ...reports.scoring.score import score
from ..console.output import print_table
from ..execution.environment import machine_name, now
from ..execution.settings import Settings
from ..run import run_suite
from ..suites.suite import TrackEntry, load_suite
from .stopwatch import Measured, in_own_process

OBJECTS, SEED, TREES = 1_000_000, 0, 20
SIMULATE = "from planktonbench.benchmarks.speed.million_objects import draw"
LOAD = "from planktonbench.data_manifests.dataset import load"
HERE = "from pathlib import Path\nfrom planktonbench.benchmarks.speed.million_objects import run_track, score_run"


def draw(folder: str, objects: int) -> str:
    """Simulate so many objects with all cores; return their folder."""
    return str(simulate("flowcam", Path(folder), CHALLENGE_TABLE, objects=objects, seed=SEED, jobs=available_cores()))


def run_track(data: Path, out: Path) -> None:
    """Run xgb-source001 with few trees on one seed: read, split, fit, predict, score and report."""
    entry = TrackEntry.model_validate({"track": "xgb-source001", "trees": TREES})
    suite = load_suite("flowcam").model_copy(update={"tracks": (entry,), "seeds": (SEED,)})
    run_suite(suite, Settings(out=out, data_dir=data))


def score_run(out: Path) -> float:
    """Score the stored predictions from their files; return macro F1."""
    folder, card = _stored(out)
    truth = pd.read_parquet(truth_path(out, card.data.name, card.split.name, card.split.seed))
    return score(truth[truth["part"] == "test"], folder / PREDICTIONS).macro_f1


def _stored(out: Path) -> tuple[Path, Card]:
    path = next((out / "runs").rglob(CARD))
    return path.parent, Card.model_validate_json(path.read_bytes())


def steps(objects: int, folder: Path) -> list[list[str]]:
    """Simulate, load, run and score so many objects.

    Args:
        objects: how many.
        folder: an empty folder with room for their images, about 8 kB each.

    Returns:
        A row for each step: what, seconds, megabytes at most.

    """
    data, out = folder / "data", folder / "out"
    rows = [
        _row(
            f"simulate, {available_cores()} processes", in_own_process(SIMULATE, f"draw(sys.argv[1], {objects})", data)
        ),
        _row(
            "load: read, join and clean, list images", in_own_process(LOAD, 'len(load("flowcam", sys.argv[1]))', data)
        ),
    ]
    whole = in_own_process(HERE, "run_track(Path(sys.argv[1]), Path(sys.argv[2]))", data, out)
    _, card = _stored(out)
    worker = f"xgb-source001, {TREES} trees, {card.split.n_train:,} training rows"
    rows += [
        [f"fit {worker}", f"{card.cost.fit_seconds:.1f}", f"{card.cost.peak_rss_mb:.0f}"],
        [f"predict {card.split.n_test:,} rows", f"{card.cost.predict_seconds:.1f}", ""],
        _row("the whole run with its report", whole),
    ]
    scored = in_own_process(HERE, "score_run(Path(sys.argv[1]))", out)
    return [*rows, _row(f"score, macro F1 {scored.told:.3f} with its interval", scored)]


def _row(what: str, measured: Measured) -> list[str]:
    return [what, f"{measured.seconds:.1f}", f"{measured.peak_mb:.0f}"]


def main() -> None:
    """Measure the steps and print them."""
    parser = argparse.ArgumentParser(description="Seconds and memory of a large simulated data set.")
    parser.add_argument("--objects", type=int, default=OBJECTS, help="number of objects (default: %(default)s)")
    objects = parser.parse_args().objects
    with tempfile.TemporaryDirectory() as folder:
        rows = steps(objects, Path(folder))
    sys.stdout.write(f"{objects:,} simulated objects; {machine_name()}, {now()}\n\n")
    print_table(("step", "seconds", "MB at most"), rows)


if __name__ == "__main__":
    main()

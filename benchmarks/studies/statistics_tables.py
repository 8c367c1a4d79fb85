"""Tables on the statistics, by simulation (`tox -e bench-statistics`).

Each new method is shown beside the one used until version 0.1, with Monte-Carlo standard errors.
"""

from __future__ import annotations

import argparse
import os
import sys

import numpy as np

from ..console.output import print_table
from . import interval_study, unequal_training, verdict_study
from .class_interval_study import CLASS_DESIGNS, class_tasks, summarise_classes
from .monte_carlo import collected, percent
from .simulated_predictions import SimulatedDesign

REPLICATES = 2000
CHUNK = 25  # replicates of a task
MOST_FALSE_ALARMS, LEAST_COVERAGE, LARGEST_WIDTH, LEAST_SINGLE = 0.07, 0.935, 1.4, 0.93
"""What the chosen methods must keep."""
FEWEST_RUNS = 3  # from which on a method that trains more variably than the others may not differ more often
BOARD_DESIGNS = (
    *(SimulatedDesign(verdict_study.SUPPORTS, samples, patchy=True) for samples in (5, 10, 15, 30, 60)),
    SimulatedDesign(verdict_study.SUPPORTS),
)


def main() -> int:
    """Print the tables and return 1 if a required property does not hold, else 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="of each design (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="number of processes")
    options = parser.parse_args()
    kept = [
        _print_intervals(options.replicates, options.jobs),
        _print_classes(options.replicates, options.jobs),
        _print_boards(options.replicates // 2, options.jobs),
        _print_trainings(options.replicates // 2, options.jobs),
        _print_unequal(options.replicates // 2, options.jobs),
    ]
    return 0 if all(kept) else 1


def _print_intervals(replicates: int, jobs: int) -> bool:
    print_title("Intervals of macro F1 (coverage of its expectation on such test sets) and of differences, in %")
    rows, kept, widths = [], True, []
    for design in interval_study.designs():
        tasks = interval_study.tasks(design, replicates, CHUNK)
        one = interval_study.summarise(design, collected(str(design), tasks, replicates, jobs))
        shares = [*one.coverage, *one.false_alarms, *one.power]
        texts = [percent(share, replicates) for share in shares]
        rows.append([str(design), *texts, f"{one.width[-1]:.2f}", f"{one.difference:.3f}"])
        widths.append(float(one.width[-1]))
        kept &= one.coverage[-1] >= LEAST_COVERAGE and one.false_alarms[-1] <= MOST_FALSE_ALARMS
    names = ("pct", "exp", "jack")
    header = ["design", *(f"{what} {name}" for what in ("cover", "alarm", "power") for name in names)]
    print_table([*header, "width", "at"], rows)
    mean = float(np.mean(widths))
    print_line(
        "pct: bootstrap percentiles (old); exp: expanded percentiles; jack: jackknife with t (new). width: of the new "
        f"interval relative to the old one, mean over designs {mean:.2f}. power: at the mean difference of column 'at'."
    )
    return print_kept(
        f"coverage at least {LEAST_COVERAGE:.1%}, false alarms at most {MOST_FALSE_ALARMS:.0%}, mean width at most "
        f"{LARGEST_WIDTH} times the old one",
        kept=bool(kept and mean <= LARGEST_WIDTH),
    )


def _print_classes(replicates: int, jobs: int) -> bool:
    print_title(
        "Intervals of precision, recall and F1 of single classes: coverage of their values for all objects, in %"
    )
    rows = []
    for design in CLASS_DESIGNS:
        found = collected(str(design), class_tasks(design, replicates, CHUNK), replicates, jobs)
        rows += [[str(design), *cells] for cells in summarise_classes(design, found)]
    print_table(["design", "support", "precision pct", "new", "recall pct", "new", "F1 pct", "new"], rows)
    return True


def _print_boards(replicates: int, jobs: int) -> bool:
    print_title(f"{verdict_study.N_METHODS} equally good methods in one group (old) or set (new), in %")
    rows, kept = [], True
    for design in BOARD_DESIGNS:
        tasks = verdict_study.board_tasks(design, replicates, CHUNK)
        found = collected(str(design), tasks, replicates, jobs)
        old, new, detected = np.mean(found, axis=0)
        rows.append([str(design), percent(old, replicates), percent(new, replicates), f"{100 * detected:.1f}"])
        kept &= bool(new >= LEAST_SINGLE)
    print_table(["design", "one group", "one set", "power"], rows)
    print_line(f"power: share of the pairs with a better method (skill + {verdict_study.BETTER}) that differ.")
    return print_kept(f"one set in at least {LEAST_SINGLE:.0%}", kept=kept)


def _print_trainings(replicates: int, jobs: int) -> bool:
    print_title("Two sets of seeds of one algorithm found to differ, in %")
    rows, kept = [], True
    for training in verdict_study.training_designs():
        tasks = verdict_study.training_tasks(training, replicates, CHUNK)
        shares = np.mean(collected(str(training), tasks, replicates, jobs), axis=0)
        rows.append([str(training), *(percent(share, replicates) for share in shares)])
        kept &= bool(shares[-1] <= MOST_FALSE_ALARMS)
    print_table(["design", "first run", "pct of all runs", "corrected t", "methods"], rows)
    print_line("first run, pct: percentile intervals (old); corrected t alone; methods: the deciding interval (new).")
    return print_kept(f"at most {MOST_FALSE_ALARMS:.0%} different methods", kept=kept)


def _print_unequal(replicates: int, jobs: int) -> bool:
    print_title("Eleven equally good methods, of which some train more variably, found to differ, in %")
    rows, kept = [], True
    for design in unequal_training.unequal_designs():
        tasks = unequal_training.unequal_tasks(design, replicates, CHUNK)
        alarms, family, power, first = np.mean(collected(str(design), tasks, replicates, jobs), axis=0)
        texts = [percent(share, replicates) for share in (*alarms[:-1], *family)]
        rows.append([str(design), *texts, *(f"{100 * share:.1f}" for share in (*power, *first))])
        within = max(alarms[-1], family[-1]) <= MOST_FALSE_ALARMS
        kept &= bool(within or design.n_runs < FEWEST_RUNS)
    *uncorrected, _ = unequal_training.METHODS
    header = [f"alarm {kind}" for kind in uncorrected]
    header += [f"{what} {kind}" for what in ("family", "power", "first") for kind in unequal_training.METHODS]
    print_table(["design", *header], rows)
    print_line(
        "own: variances over runs of each pair alone; both: moderated in both directions; raised: only raised; each "
        "with Holm's correction. range: raised, and with the quantile of the studentized range for variances of their "
        "own (new). alarm: intervals of the pairs with the first method, a variable one, that exclude zero. family: "
        "any of the 55 pairs differs, corrected. power: share of the pairs with a method better by "
        f"{unequal_training.BETTER:.2f} that differ, corrected. first: share of the pairs with the first method that "
        f"differ, if it is worse by {unequal_training.WORSE:.2f}."
    )
    return print_kept(
        f"alarms and families at most {MOST_FALSE_ALARMS:.0%} from {FEWEST_RUNS} runs on; 2 runs do not show which "
        "methods are the variable ones",
        kept=kept,
    )


def print_title(text: str) -> None:
    """Print the title of a table."""
    print_line(f"\n{text}")


def print_line(text: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{text}\n")


def print_kept(text: str, *, kept: bool) -> bool:
    """Print whether a required property holds, and return it."""
    print_line(f"Required: {text}: {'holds' if kept else 'DOES NOT HOLD'}.")
    return kept


if __name__ == "__main__":
    raise SystemExit(main())

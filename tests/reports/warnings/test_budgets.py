"""Warning about training that was cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from planktonbench.reports.warnings.budgets import TrainingCutShort
from planktonbench.reports.warnings.kind import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def run(stopped: str, best: int, *, chosen: bool = True, **more: object) -> dict[str, Any]:
    """Return a run whose only trial made 100 of 100 rounds."""
    curve = {"unit": "round", "measure": "log loss", "scores": [1.0, 0.5], "steps": [1, 100], "limit": 100}
    trial = {"seconds": 1.0, "chosen": chosen, "curve": {**curve, "best": best, "stopped": stopped}}
    return {"track": "trees", "trials": [trial], "n_trials": 1, **more}


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        (run("patience", 100), None),
        (run("limit", 60), None),
        (run("limit", 94), None),
        (run("limit", 95), "trees: still improving at the last step allowed in 1 of 1 runs."),
        (run("limit", 95, chosen=False), None),
        (run("time", 60, chosen=False), "trees: training stopped by the time limit in 1 of 1 runs."),
        (run("patience", 60, config={"minutes": 1}, fit_seconds=64), None),
        (
            run("patience", 60, config={"minutes": 1}, fit_seconds=90),
            "trees: longer than the time limit in 1 of 1 runs.",
        ),
        ({"track": "trees"}, None),
    ],
)
def test_each_finding_has_its_condition(
    make_section: Callable[..., Section], choices: dict[str, Any], expected: str | None
) -> None:
    """Improvement at the end counts only for the chosen training, and only if no patience ended it."""
    found = list(TrainingCutShort().check(Evidence(make_section(choices), {})))

    assert found == ([] if expected is None else [expected])


def test_runs_are_counted(make_section: Callable[..., Section]) -> None:
    """One of two runs was stopped by its time limit."""
    section = make_section(run("time", 3), run("patience", 3, seed=1))

    assert list(TrainingCutShort().check(Evidence(section, {}))) == [
        "trees: training stopped by the time limit in 1 of 2 runs."
    ]

"""Study of unequal training: moderation in both directions raises false alarms, raising alone does not."""

from __future__ import annotations

import numpy as np
import pytest
from planktonbench.benchmarks.studies.unequal_training import (
    METHODS,
    N_METHODS,
    UnequalTraining,
    Verdicts,
    one_variable,
    unequal_designs,
    unequal_tasks,
)


def outcome(design: UnequalTraining, replicates: int) -> dict[str, dict[str, float]]:
    """Return the mean of each outcome by the variances used."""
    (run,) = unequal_tasks(design, replicates, replicates)
    means = np.mean(run(), axis=0)
    return {
        name: dict(zip(METHODS, values.tolist(), strict=True))
        for name, values in zip(Verdicts._fields, means, strict=True)
    }


@pytest.fixture(scope="module")
def five_times() -> dict[str, dict[str, float]]:
    """Return the outcomes of three runs in which one method has five times the spread of the others."""
    return outcome(one_variable(3, 5), 25)


def test_a_variable_method_must_keep_its_variance(five_times: dict[str, dict[str, float]]) -> None:
    """Moderation in both directions finds it different too often; raising alone costs less power than no moderation."""
    alarms, power = five_times["alarms"], five_times["power"]

    assert alarms["both"] > 0.15
    assert alarms["raised"] < alarms["both"] / 2
    assert power["own"] < power["raised"] < power["both"]


def test_few_runs_show_that_a_variable_method_is_much_worse(five_times: dict[str, dict[str, float]]) -> None:
    """With the studentized range more of its pairs differ than with Holm's correction, at the same false alarms."""
    assert five_times["first"]["range"] > five_times["first"]["raised"] + 0.3
    for name in ("alarms", "family"):
        assert five_times[name]["range"] == five_times[name]["raised"]


def test_a_single_varying_method_is_not_moderated() -> None:
    """Among deterministic ones, all variances are its own."""
    found = outcome(UnequalTraining(2, "one varies", (1.0, *[0.0] * (N_METHODS - 1))), 8)

    for name in ("alarms", "family", "power"):
        assert len(set(found[name].values())) == 1


def test_results_do_not_depend_on_the_chunks() -> None:
    """Each replicate has its own seed."""
    one, several = (
        [found.alarms.tolist() for run in unequal_tasks(one_variable(2, 2), 4, chunk) for found in run()]
        for chunk in (4, 1)
    )

    assert one == several


@pytest.mark.parametrize("n_runs", [2, 3, 5])
def test_the_designs_cover_the_required_range(n_runs: int) -> None:
    """Equal methods, some that vary up to ten times as much as others, and one among deterministic ones."""
    designs = [design for design in unequal_designs() if design.n_runs == n_runs]
    ranges = [max(design.relative) / min(design.relative) for design in designs if min(design.relative)]

    assert np.allclose(ranges, [1, 2, 3, 5, 5, 10])
    assert [str(design) for design in designs if not min(design.relative)] == [
        f"{n_runs} runs, one method varies, ten are deterministic"
    ]
    assert all(design.spreads.shape == (N_METHODS,) for design in designs)

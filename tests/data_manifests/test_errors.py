"""Errors: one tree, and words that help with a mistyped name or a long list."""

from __future__ import annotations

import doctest

import planktonbench as pb
import pytest
from planktonbench.data_manifests import errors
from planktonbench.data_manifests.errors import did_you_mean, listed


@pytest.mark.parametrize("name", ["ManifestError", "SuiteError", "DataError", "SubmissionError", "TrackError"])
def test_all_errors_are_of_one_tree(name: str) -> None:
    """Whoever catches PlanktonbenchError catches each of them, and nothing else is caught with them."""
    assert getattr(errors, name).__mro__[1:3] == (pb.PlanktonbenchError, Exception)


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [(0, 10, ""), (3, 3, "0, 1, 2"), (4, 3, "0, 1, 2, … (4 in all)"), (1234, 1, "0, … (1,234 in all)")],
)
def test_listed_names_the_first_and_counts_all(count: int, limit: int, expected: str) -> None:
    """A list is cut after its limit, and then the count of all is told."""
    assert expected == listed(range(count), limit)


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("xgb-natve", ["random", "xgb-native"], "Did you mean xgb-native?"),
        ("COPEPODA", ["Copepoda", "egg"], "Did you mean Copepoda?"),
        ("kfold", ["kfold3", "kfold5", "holdout"], "Did you mean kfold5 or kfold3?"),
        ("zzz", ["b", "a"], "Known: a, b."),
        ("zzz", [], "There are none."),
    ],
)
def test_near_matches_are_told_or_else_what_there_is(name: str, known: list[str], expected: str) -> None:
    """A mistyped name gets its near matches whatever their case, and any other name the list of those known."""
    assert expected == did_you_mean(name, known)


def test_examples_of_the_docstrings_hold() -> None:
    """What the docstrings show is what happens."""
    result = doctest.testmod(errors)

    assert (result.failed, result.attempted) == (0, 2)

"""Tests of the exception hierarchy, and of messages about mistyped names and long lists."""

from __future__ import annotations

import doctest

import planktonbench as pb
import pytest
from planktonbench.data_manifests import errors
from planktonbench.data_manifests.errors import did_you_mean, listed


@pytest.mark.parametrize("name", ["ManifestError", "SuiteError", "DataError", "SubmissionError", "TrackError"])
def test_all_errors_have_one_base_class(name: str) -> None:
    """Each error is a direct subclass of PlanktonbenchError, which is a direct subclass of Exception."""
    assert getattr(errors, name).__mro__[1:3] == (pb.PlanktonbenchError, Exception)


@pytest.mark.parametrize(
    ("count", "limit", "expected"),
    [(0, 10, ""), (3, 3, "0, 1, 2"), (4, 3, "0, 1, 2, … (4 in all)"), (1234, 1, "0, … (1,234 in all)")],
)
def test_long_lists_are_truncated(count: int, limit: int, expected: str) -> None:
    """A list is truncated after its limit, followed by the total count."""
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
def test_near_matches_or_known_names_are_listed(name: str, known: list[str], expected: str) -> None:
    """Near matches ignore case; without any, all known names are listed."""
    assert expected == did_you_mean(name, known)


def test_docstring_examples_are_correct() -> None:
    """The examples in the docstrings of the module pass as doctests."""
    result = doctest.testmod(errors)

    assert (result.failed, result.attempted) == (0, 2)

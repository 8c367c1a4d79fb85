"""Compact letters: two methods share one exactly if they do not differ."""

from __future__ import annotations

import doctest
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planktonbench.reports.comparisons import letters as module
from planktonbench.reports.comparisons.letters import compact_letters

PAIRS = list(combinations(range(7), 2))


def sets_of(letters: str) -> set[str]:
    """Return the letters of a method."""
    return set(letters.split(",")) if "," in letters else set(letters)


@given(st.sets(st.sampled_from(PAIRS)), st.integers(1, 7))
@settings(max_examples=200, deadline=None)
def test_methods_share_a_letter_if_and_only_if_they_do_not_differ(different: set[tuple[int, int]], n: int) -> None:
    """For any pattern of differences, which need not be transitive; letters are in the order of methods."""
    letters = compact_letters(n, lambda a, b: (a, b) in different)
    first_seen = list(dict.fromkeys("".join(letters)))

    assert len(letters) == n
    assert all(letters)
    assert letters[0].startswith("a")
    assert first_seen == sorted(first_seen)
    for a, b in combinations(range(n), 2):
        assert bool(sets_of(letters[a]) & sets_of(letters[b])) is ((a, b) not in different)


@given(st.sets(st.sampled_from(PAIRS)))
@settings(max_examples=50, deadline=None)
def test_no_letter_is_superfluous(different: set[tuple[int, int]]) -> None:
    """The methods of one letter are not all among those of another."""
    letters = [sets_of(one) for one in compact_letters(7, lambda a, b: (a, b) in different)]
    members = [{k for k in range(7) if letter in letters[k]} for letter in sorted(set().union(*letters))]

    assert not any(one < other or (one == other and one is not other) for one in members for other in members)


@pytest.mark.parametrize(("n", "expected"), [(26, "z"), (27, "z2"), (30, "z5")])
def test_more_sets_than_letters_are_numbered(n: int, expected: str) -> None:
    """If all methods differ, each has a letter of its own."""
    letters = compact_letters(n, lambda _a, _b: True)

    assert letters[-1] == expected
    assert len(set(letters)) == n


def test_numbered_letters_are_separated() -> None:
    """A method in several of more than 26 sets has a list of letters."""
    letters = compact_letters(29, lambda a, b: b != a + 1)

    assert letters[:2] == ["a", "a,b"]
    assert letters[-2:] == ["z2,z3", "z3"]


def test_the_example_in_the_docstring_is_correct() -> None:
    """It gives the output shown."""
    assert doctest.testmod(module).attempted == 1
    assert doctest.testmod(module).failed == 0

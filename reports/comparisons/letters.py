"""Compact letters: methods that share a letter are not distinguishable."""

from __future__ import annotations

from itertools import combinations
from string import ascii_lowercase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def compact_letters(n_methods: int, is_different: Callable[[int, int], bool]) -> list[str]:
    """Return the letters of each method, such that two methods share a letter exactly if they do not differ.

    Each letter is a maximal set of methods of which no two differ, i.e. a maximal clique (Piepho 2004, An algorithm for
    a letter-based representation of all-pairwise comparisons, doi 10.1198/1061860043515). Letters are in the order of
    the best method of their set; after z follow z2, z3 and so on, separated by commas.

    Args:
        n_methods: number of methods, best first.
        is_different: whether two methods differ, by position.

    >>> compact_letters(3, lambda a, b: (a, b) == (0, 2))
    ['a', 'ab', 'b']
    """
    from networkx import Graph, find_cliques

    graph = Graph()
    graph.add_nodes_from(range(n_methods))
    graph.add_edges_from(pair for pair in combinations(range(n_methods), 2) if not is_different(*pair))
    sets = sorted(sorted(clique) for clique in find_cliques(graph))
    letters = [_letter(position) for position in range(len(sets))]
    separator = "" if len(sets) <= len(ascii_lowercase) else ","
    return [
        separator.join(letter for letter, members in zip(letters, sets, strict=True) if method in members)
        for method in range(n_methods)
    ]


def _letter(position: int) -> str:
    last = len(ascii_lowercase) - 1
    return ascii_lowercase[position] if position <= last else f"{ascii_lowercase[last]}{position - last + 1}"

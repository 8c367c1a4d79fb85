"""Replicates of a simulation, in parallel, and shares of them as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ...data_manifests.files.processes import in_order
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Result = TypeVar("Result")


def collected(label: str, tasks: Iterable[Callable[[], list[Result]]], total: int, jobs: int) -> list[Result]:
    """Run tasks in parallel with progress, and return all their results."""
    found: list[Result] = []
    with counting(label, total, "replicates") as advance:
        for some in in_order(tasks, jobs):
            found += some
            advance(len(some))
    return found


def percent(share: float, n: int) -> str:
    """Return a share of n replicates in percent with its Monte-Carlo standard error.

    >>> percent(0.95, 1000)
    '95.0 ± 0.7'
    """
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / n):.1f}"

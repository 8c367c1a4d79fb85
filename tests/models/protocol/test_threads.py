"""Number of threads that a track uses."""

from __future__ import annotations

import pytest
from planktonbench.models.protocol.threads import ROWS_A_THREAD, THREADS_VARIABLE, permitted_threads, threads_for


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, 1), (1, 1), (2 * ROWS_A_THREAD - 1, 1), (2 * ROWS_A_THREAD, 2), (10**6, 3)]
)
def test_small_tables_get_few_threads(monkeypatch: pytest.MonkeyPatch, rows: int, expected: int) -> None:
    """A track gets at least one thread, and at most those of its worker."""
    monkeypatch.setenv(THREADS_VARIABLE, "3")

    assert permitted_threads() == 3
    assert threads_for(rows) == expected

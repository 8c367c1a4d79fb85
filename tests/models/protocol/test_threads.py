"""How many threads a track uses."""

from __future__ import annotations

import pytest
from planktonbench.models.protocol.threads import ROWS_A_THREAD, THREADS_VARIABLE, permitted_threads, threads_for


@pytest.mark.parametrize(
    ("rows", "expected"), [(0, 1), (1, 1), (2 * ROWS_A_THREAD - 1, 1), (2 * ROWS_A_THREAD, 2), (10**6, 3)]
)
def test_small_tables_get_few_threads(monkeypatch: pytest.MonkeyPatch, rows: int, expected: int) -> None:
    """At least one, and never more than the worker may have."""
    monkeypatch.setenv(THREADS_VARIABLE, "3")

    assert permitted_threads() == 3
    assert threads_for(rows) == expected

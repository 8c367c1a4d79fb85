"""Number of evaluations of test objects."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from planktonbench.reports.results.looks import COLUMNS, in_words, looks_table
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = {"track": "mine", "config": {"track": "predictions-file", "file": "mine.csv"}}


@pytest.fixture
def replace_run(tmp_path: Path, add_run: Callable[..., Path]) -> Callable[..., None]:
    """Return a function that stores a run and moves it to the replaced ones."""

    def replace(**facts: Any) -> None:  # noqa: ANN401 - fields of the card
        folder = add_run(tmp_path / "elsewhere", **facts)
        parts = folder.relative_to(tmp_path / "elsewhere" / "runs").parent
        target = tmp_path / "out" / "replaced" / parts
        target.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, target / f"{folder.name}-{len(list(target.iterdir()))}")

    return replace


def test_stored_replaced_and_submitted_runs_are_counted(
    tmp_path: Path, add_run: Callable[..., Path], replace_run: Callable[..., None]
) -> None:
    """Versions differ in code, options or contents of a file; other splits, data sets and failed runs do not count."""
    out = tmp_path / "out"
    add_run(out)
    add_run(out, seed=1)
    add_run(out, **FILE, track_sha256="3")
    replace_run(config={"alpha": 2})
    for content in ("1", "2", "2"):
        replace_run(**FILE, track_sha256=content)
    replace_run(track="gone")
    replace_run(split="kfold3.v1-fold0")
    replace_run(dataset="bay")
    replace_run(status="failed", reason="oh")
    (section,) = sections_of(read_runs(out))
    table = looks_table([section])

    assert tuple(table.columns) == COLUMNS
    assert table[["track", "stored", "replaced", "submitted", "versions"]].to_numpy().tolist() == [
        ["good", 2, 1, 0, 2], ["mine", 1, 3, 4, 3], ["gone", 0, 1, 0, 1]]  # fmt: skip
    assert in_words(section) == (
        "Test objects were evaluated 8 times in this results folder: 3 stored runs and 5 replaced runs, of which 4 "
        "were submitted files of predictions. Tracks evaluated in several versions: good (2), mine (3). Evaluations "
        "elsewhere are not counted."
    )


def test_a_damaged_replaced_run_does_not_matter(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """It is not counted."""
    add_run(tmp_path)
    damaged = tmp_path / "replaced/lake/good/holdout.v1/seed-0-x"
    damaged.mkdir(parents=True)
    (damaged / "card.json").write_text("{")
    (section,) = sections_of(read_runs(tmp_path))

    assert in_words(section).startswith("Test objects were evaluated once in this results folder: 1 stored run.")

"""Verification of all runs, scores and tables of a results folder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ...data_manifests.errors import DataError, PlanktonbenchError
from ...data_manifests.files.tables import read_table, table_sha256
from ...data_manifests.subsets import SUBSETS
from ...models.kept.model_facts import MODEL
from ...reports.pages.write import REPORT, write_score_tables
from ...reports.results.section import sections_of
from ...reports.results.stored_run import read_runs, scores_table
from ...reports.run_files.card import CARD
from ...reports.run_files.run_folder import SCORES, run_folder
from ..execution.environment import environment_sha256
from ..execution.store import model_hashes
from .csv_tables import compare_tables
from .mismatch import ABSENT, PRESENT, Mismatch
from .present_code import differences_from_present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...reports.results.stored_run import StoredRun


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification.

    Attributes:
        checked: number of runs, stored tables of runs, files of kept models, truth tables and tables of scores that
            were recomputed.
        mismatches: stored values that differ from the recomputed ones.
        information: differences that are not errors, with the runs that they concern.

    """

    checked: dict[str, int]
    mismatches: list[Mismatch]
    information: dict[str, list[str]]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        return {
            "matches": not self.mismatches,
            "checked": self.checked,
            "mismatches": [asdict(one) for one in self.mismatches],
            "information": [{"text": text, "runs": runs} for text, runs in self.information.items()],
        }


def verify(out: Path, log: Callable[[str], object] = lambda _: None) -> Verification:
    """Recompute every stored score and hash of a results folder.

    Hashes of tables, kept models, truth and environment are compared with the cards, numbers of objects with the truth,
    and all tables with scores (`scores.csv` and `report/tables`, as far as present) with a new evaluation of the
    predictions.

    Args:
        out: the results folder; it is not changed.
        log: receives a line at the beginning of each step.

    Raises:
        DataError: the folder contains no runs, or a card cannot be read.

    """
    runs = read_runs(out)
    log(f"verifying {len(runs)} runs")
    mismatches: list[Mismatch] = []
    information: dict[str, list[str]] = defaultdict(list)
    truths: dict[Path, str] = {}
    for run in runs:
        mismatches += _of_run(run, truths)
        for text in [*differences_from_present(run.card), *_deleted_model(run)]:
            information[text].append(run.card.label)
    unreadable = [run for run in runs if _why_unreadable(run)]
    if unreadable:
        mismatches += [Mismatch(run.card.label, "", "score", PRESENT, _why_unreadable(run)) for run in unreadable]
        text = "cannot be scored, so that scores.csv and the tables of the report were not recomputed"
        information[text] = [run.card.label for run in unreadable]
    n_tables = 0
    if not unreadable:
        log("recomputing the tables of scores")
        n_tables, found = _of_tables(out, runs)
        mismatches += found
    checked = {
        "runs": len(runs),
        "tables of runs": sum(len(run.card.hashes.tables) for run in runs),
        "files of models": sum(len(run.card.hashes.model) for run in runs if not _deleted_model(run)),
        "truth tables": len(truths),
        "tables of scores": n_tables,
    }
    return Verification(checked, mismatches, dict(information))


def _of_run(run: StoredRun, truths: dict[Path, str]) -> Iterator[Mismatch]:
    """Yield what does not match in a run; `truths` collects the hashes of truth tables."""
    label, card = run.card.label, run.card
    place = run.folder.relative_to(run.out)
    expected = run_folder(run.out, card)
    if expected != run.folder:
        yield Mismatch(label, place.as_posix(), "", "in this folder", str(expected.relative_to(run.out)))
    if card.hashes.environment and card.hashes.environment != environment_sha256(card.versions):
        stored = card.hashes.environment
        yield Mismatch(label, f"{place}/{CARD}", "environment_sha256", stored, environment_sha256(card.versions))
    if card.status != "done":
        return
    stored_tables = {path.name for path in run.folder.glob("*.parquet")}
    for name, stored in card.hashes.tables.items():
        found = _hash_of(run.folder / name)
        if found != stored:
            yield Mismatch(label, f"{place}/{name}", "tables_sha256", stored, found)
    if card.hashes.tables:
        for name in sorted(stored_tables - card.hashes.tables.keys()):
            yield Mismatch(label, f"{place}/{name}", "tables_sha256", ABSENT, _hash_of(run.folder / name))
    yield from _of_model(run)
    yield from _of_truth(run, truths)


def _deleted_model(run: StoredRun) -> list[str]:
    """Return the information that the kept model of a run was deleted, which is allowed; empty if it was not."""
    deleted = run.card.hashes.model and not (run.folder / MODEL).exists()
    return ["the kept model was deleted, so that its files were not verified"] if deleted else []


def _of_model(run: StoredRun) -> Iterator[Mismatch]:
    """Yield differences between the files of a kept model and the hashes in the card."""
    folder = run.folder / MODEL
    if _deleted_model(run):
        return
    stored, found = run.card.hashes.model, model_hashes(folder)
    for name in sorted(stored.keys() | found.keys()):
        if stored.get(name) != found.get(name):
            place = (folder / name).relative_to(run.out).as_posix()
            values = stored.get(name, ABSENT), found.get(name, ABSENT)
            yield Mismatch(run.card.label, place, "model_sha256", *values)


def _of_truth(run: StoredRun, truths: dict[Path, str]) -> Iterator[Mismatch]:
    """Yield differences between the truth of a run and its card: hash, numbers of objects and classes."""
    label, card, file = run.card.label, run.card, run.truth_path.relative_to(run.out).as_posix()
    if run.truth_path not in truths:
        truths[run.truth_path] = _hash_of(run.truth_path)
    if card.hashes.truth and truths[run.truth_path] != card.hashes.truth:
        yield Mismatch(label, file, "truth_sha256", card.hashes.truth, truths[run.truth_path])
    try:
        parts, taxa = run.truth["part"].value_counts(), set(run.truth["taxon"])
    except DataError as fault:
        yield Mismatch(label, file, "", PRESENT, str(fault))
        return
    for subset in SUBSETS:
        stored, found = getattr(card.split, f"n_{subset}"), int(parts.get(subset, 0))
        if stored != found:
            yield Mismatch(label, file, f"n_{subset}", str(stored), str(found))
    for taxon in sorted((taxa | set(card.data.withheld)) - set(card.data.classes)):
        yield Mismatch(label, file, "classes", ABSENT, taxon)
    trained = run.truth.loc[run.truth["part"] != "test", "taxon"]
    for taxon, count in trained[trained.isin(card.data.withheld)].value_counts().sort_index().items():
        yield Mismatch(label, file, "withheld", str(taxon), f"{count:,} objects in train and valid")


def _hash_of(path: Path) -> str:
    """Return the hash of a stored table, or why there is none."""
    try:
        return table_sha256(read_table(path, DataError)) if path.is_file() else ABSENT
    except DataError as fault:
        return f"unreadable ({fault})"


def _why_unreadable(run: StoredRun) -> str:
    """Return why a run cannot be scored; empty if it can, or is not finished."""
    try:
        return "" if run.score is None or len(run.predictions) else "no rows"
    except PlanktonbenchError as fault:
        return str(fault)


def _of_tables(out: Path, runs: list[StoredRun]) -> tuple[int, list[Mismatch]]:
    """Compare stored tables of scores with recomputed ones, which are written to a temporary folder.

    Returns:
        The number of tables compared, and the differences.

    """
    with TemporaryDirectory(prefix="planktonbench-") as name:
        folder = Path(name)
        scores_table(runs).to_csv(folder / SCORES, index=False)
        if (out / REPORT).is_dir():
            write_score_tables(out, sections_of(runs), folder / REPORT)
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.csv"))
        both = [file for file in files if (out / file).is_file()]
        return len(both), [one for file in both for one in compare_tables(out / file, folder / file, file)]

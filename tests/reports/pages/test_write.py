"""What a results folder shows: scores.csv, page, figures and tables, written whole."""

from __future__ import annotations

import csv
import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pandas as pd
import pytest
from planktonbench import DataError
from planktonbench.reports.analyses.catalogue import ANALYSES
from planktonbench.reports.analyses.report_warnings import COLUMNS as CAUTION_COLUMNS
from planktonbench.reports.pages import write
from planktonbench.reports.pages.write import stored_warnings, write_results
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import COLUMNS, read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, add_run: Callable[..., Path], preparation: pd.DataFrame) -> Path:
    """A results folder that is written: two data sets, one of them with a failed track and two seeds."""
    out = tmp_path_factory.mktemp("results")
    add_run(out, preparation=preparation)
    add_run(out, seed=1, wrong=5)
    add_run(out, "lost", status="failed", reason="ValueError: oh, no")
    add_run(out, dataset="bay", simulated=True)
    write_results(out)
    return out


def names(folder: Path) -> list[str]:
    """Return the files of a folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_report_holds_page_figures_and_tables(out: Path) -> None:
    """Files are named by data set and track, and nothing else is left in the folder."""
    figures = ["classes", "tracks", "f1-by-size", "good-confusion", "abundance", "effort", "reliability"]
    tables = ["good-confusion.csv", "good-per-class.csv", "good-suspects.tsv", "methods.txt", "references.bib"]
    tables += [f"leaderboard.{kind}" for kind in ("csv", "md", "tex")]
    expected = [
        *("index.html", "dataset-bay.html", "dataset-lake.html", "warnings.html"),
        *(f"assets/{name}" for name in ("plotly.min.js", "report.css", "report.js")),
        *(f"figures/bay-{name}.png" for name in figures),
        *(f"figures/lake-{name}.png" for name in [*figures, "scales", "correlations"]),
        *(f"tables/{dataset}-{name}" for dataset in ("bay", "lake") for name in tables),
        *(f"tables/{table.file}" for table in ANALYSES),
        *("tables/cautions.csv", "tables/leaderboard.csv", "tables/lake-native-columns.csv"),
    ]

    assert names(out / "report") == sorted(expected)
    assert sorted(path.name for path in out.iterdir()) == ["report", "runs", "scores.csv", "truth"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (out / "report" / "figures").iterdir())


def test_scores_has_a_line_for_each_run(out: Path) -> None:
    """Columns in their order; whole numbers are written whole, and a failed run has a reason and no numbers."""
    with (out / "scores.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    failed = lines[3]

    assert list(lines[0]) == COLUMNS
    assert [(line["dataset"], line["track"], line["seed"]) for line in lines] == [
        ("bay", "good", "0"), ("lake", "good", "0"), ("lake", "good", "1"), ("lake", "lost", "0"),
    ]  # fmt: skip
    assert [line["simulated"] for line in lines] == ["True", "False", "False", "False"]
    assert (failed["status"], failed["reason"], failed["n_test"]) == ("failed", "ValueError: oh, no", "21")
    assert {failed[name] for name in COLUMNS[6:16]} | {failed["signature"]} == {""}
    assert [line["n_classes"] for line in lines[:3]] == ["3", "3", "3"]


def test_tables_hold_the_counts_of_all_runs(out: Path) -> None:
    """The confusion table has rows truth and columns called, both the class list; per class is as promised."""
    section = sections_of(read_runs(out))[1]
    confusion = pd.read_csv(out / "report" / "tables" / "lake-good-confusion.csv", index_col="truth")
    per_class = pd.read_csv(out / "report" / "tables" / "lake-good-per-class.csv")

    assert confusion.index.tolist() == confusion.columns.tolist() == ["Copepoda", "detritus", "egg (other)"]
    assert confusion.to_numpy().tolist() == section.tracks[0].confusion.to_numpy().tolist()
    assert confusion.to_numpy().sum() == 42
    assert per_class.columns.tolist() == ["taxon", "precision", "recall", "f1", "support"]
    assert per_class["support"].tolist() == confusion.sum(axis=1).tolist()


def test_every_address_of_every_page_is_there(out: Path) -> None:
    """Pages, figures, tables, scripts and places on pages: nothing is linked that is missing."""
    report = out / "report"
    for page in report.glob("*.html"):
        addresses = set(re.findall(r'(?:href|src)="([^"]*)"', page.read_text("utf-8"))) - {"data:,"}
        missing = []
        for address in addresses:
            name, _, place = address.partition("#")
            target = report / unquote(name) if name else page
            if not target.is_file() or (place and f'id="{place}"' not in target.read_text("utf-8")):
                missing.append(address)

        assert missing == []


def test_warnings_are_listed(out: Path) -> None:
    """One line each, of the data set that they are about."""
    table = stored_warnings(out)

    assert table.columns.tolist() == list(CAUTION_COLUMNS)
    assert table.loc[table["code"] == "W07", "dataset"].tolist() == ["bay"]
    assert stored_warnings(out / "nowhere").empty


def test_the_report_can_be_made_again(out: Path, tmp_path: Path) -> None:
    """From cards, predictions and truth alone, elsewhere, and the same to the last byte."""
    for name in ("runs", "truth"):
        shutil.copytree(out / name, tmp_path / name)
    table = write_results(tmp_path)

    assert names(tmp_path) == names(out)
    assert [name for name in names(out) if (out / name).read_bytes() != (tmp_path / name).read_bytes()] == []
    assert table["track"].tolist() == ["good", "good", "good", "lost"]


def test_several_splits_of_a_data_set_have_files_of_their_own(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """The split is in the name only where it must be."""
    for split in ("kfold2.v1-fold0", "kfold2.v1-fold1", "holdout.v1"):
        add_run(tmp_path, split=split)
    write_results(tmp_path)
    tables = {path.name for path in (tmp_path / "report" / "tables").iterdir()}

    for split in ("holdout.v1", "kfold2.v1"):
        assert (tmp_path / "report" / f"dataset-lake-{split}.html").is_file()
        assert {f"lake-{split}-good-{kind}.csv" for kind in ("confusion", "per-class")} < tables


@pytest.mark.parametrize("broken", ["SectionFiles", "render_dataset", "_write_assets"])
def test_the_old_report_stays_when_a_new_one_fails(
    tmp_path: Path, add_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The report is put in its place whole or not at all, and no half of it is left."""
    add_run(tmp_path)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text("old")

    def fail(*_: object) -> None:
        raise RuntimeError(broken)

    monkeypatch.setattr(write, broken, fail)
    with pytest.raises(RuntimeError, match=broken):
        write_results(tmp_path)

    assert names(tmp_path / "report") == ["index.html"]
    assert (tmp_path / "report" / "index.html").read_text() == "old"
    assert not (tmp_path / ".report.part").exists()


def test_an_old_report_leaves_nothing_in_a_new_one(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Tables of tracks that are gone are gone; what an interrupted report left is removed."""
    add_run(tmp_path, status="failed", reason="oh")
    for name in ("report", ".report.part"):
        (tmp_path / name / "tables").mkdir(parents=True)
        (tmp_path / name / "tables" / "lake-old-confusion.csv").write_text("old")
    write_results(tmp_path)

    found = names(tmp_path / "report")
    assert "figures/lake-classes.png" in found
    assert "tables/lake-old-confusion.csv" not in found
    assert not (tmp_path / ".report.part").exists()


@pytest.mark.parametrize("name", ["card.json", "predictions.parquet"])
def test_a_truncated_file_is_named(tmp_path: Path, add_run: Callable[..., Path], name: str) -> None:
    """The message names the file, and the old scores stay."""
    path = add_run(tmp_path) / name
    path.write_bytes(path.read_bytes()[:100])
    (tmp_path / "scores.csv").write_text("old")
    with pytest.raises(DataError) as caught:
        write_results(tmp_path)

    assert str(caught.value).startswith(f"{path} ")
    assert (tmp_path / "scores.csv").read_text() == "old"

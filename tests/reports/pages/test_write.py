"""Scores and report of a results folder: contents, reproducibility and atomic replacement."""

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
from planktonbench.reports.pages import write
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import COLUMNS, read_runs
from planktonbench.reports.warnings.catalogue import COLUMNS as WARNING_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.pages.write import Results


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory, add_run: Callable[..., Path], preparation: pd.DataFrame) -> Path:
    """A results folder with its report: two data sets, one of them with a failed track and two seeds."""
    out = tmp_path_factory.mktemp("results")
    add_run(out, preparation=preparation)
    add_run(out, seed=1, wrong=5)
    add_run(out, "lost", status="failed", reason="ValueError: oh, no")
    add_run(out, dataset="bay", simulated=True)
    write_results(out)
    return out


@pytest.fixture(scope="module")
def again(out: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    """A folder with the same cards, predictions and truth, and the results of writing its report."""
    copy = tmp_path_factory.mktemp("again")
    for name in ("runs", "truth"):
        shutil.copytree(out / name, copy / name)
    return copy, write_results(copy)


def names(folder: Path) -> list[str]:
    """Return the files of a folder, including hidden ones."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_report_has_pages_figures_and_tables(out: Path) -> None:
    """Files are named by data set and track, and the folder contains no other files."""
    figures = ["classes", "tracks", "f1-by-size", "good-confusion"]
    tables = [
        "good-confusion.csv",
        "good-per-class.csv",
        "methods.txt",
        "references.bib",
    ]
    tables += [f"leaderboard.{kind}" for kind in ("csv", "md", "tex")]
    expected = [
        *("index.html", "dataset-bay.html", "dataset-lake.html", "warnings.html"),
        *(f"assets/{name}" for name in ("plotly.min.js", "report.css", "report.js")),
        *(f"figures/bay-{name}.png" for name in figures),
        *(f"figures/lake-{name}.png" for name in [*figures, "scales", "correlations"]),
        *(f"tables/{dataset}-{name}" for dataset in ("bay", "lake") for name in tables),
        *("tables/warnings.csv", "tables/leaderboard.csv", "tables/looks.csv", "tables/lake-native-columns.csv"),
    ]

    found, of_analyses = set(names(out / "report")), {f"tables/{analysis.file}" for analysis in ANALYSES}
    for section in sections_of(read_runs(out)):
        files = [file.name for analysis in ANALYSES for file in analysis.files(section, {})]
        of_analyses |= {f"tables/{section.dataset}-{name}" for name in files}
        of_analyses |= {f"figures/{section.dataset}-{analysis.figure}.png" for analysis in ANALYSES}

    assert sorted(found - of_analyses) == sorted(expected)
    assert {"tables/effort.csv", "figures/lake-effort.png", "tables/bay-good-suspected-label-errors.tsv"} < found
    assert sorted(path.name for path in out.iterdir()) == ["report", "runs", "scores.csv", "truth"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (out / "report" / "figures").iterdir())


def test_scores_has_a_row_for_each_run(out: Path) -> None:
    """Columns are in order, integers are written as integers, and a failed run has a reason and no scores."""
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


def test_tables_have_the_counts_of_all_runs(out: Path) -> None:
    """The confusion table has true rows and predicted columns for all classes; supports are its row sums."""
    section = sections_of(read_runs(out))[1]
    confusion = pd.read_csv(out / "report" / "tables" / "lake-good-confusion.csv", index_col="truth")
    per_class = pd.read_csv(out / "report" / "tables" / "lake-good-per-class.csv")

    assert confusion.index.tolist() == confusion.columns.tolist() == ["Copepoda", "detritus", "egg (other)"]
    assert confusion.to_numpy().tolist() == section.tracks[0].confusion.to_numpy().tolist()
    assert confusion.to_numpy().sum() == 42
    assert per_class.columns.tolist()[:5] == ["taxon", "precision", "recall", "f1", "support"]
    assert per_class["support"].tolist() == confusion.sum(axis=1).tolist()


def test_one_number_has_one_interval(out: Path) -> None:
    """The mean of two runs has the same interval on the page, in the paper tables and in leaderboard.csv."""
    tables = out / "report" / "tables"
    row = pd.read_csv(tables / "leaderboard.csv").set_index(["dataset", "track"]).loc[("lake", "good")]
    exported = pd.read_csv(tables / "lake-leaderboard.csv").set_index("track").loc["good"]
    low, high = f"{row['macro_f1_lo']:.3f}", f"{row['macro_f1_hi']:.3f}"
    page = (out / "report" / "dataset-lake.html").read_text("utf-8")

    assert row["n_runs"] == 2
    assert row["macro_f1_lo"] < row["macro_f1"] < row["macro_f1_hi"]
    assert (exported["macro_f1"], exported["lo"], exported["hi"]) == pytest.approx(
        (row["macro_f1"], row["macro_f1_lo"], row["macro_f1_hi"])
    )
    assert f"{low} -- {high}" in (tables / "lake-leaderboard.tex").read_text("utf-8")
    assert f"{low} – {high}" in (tables / "lake-leaderboard.md").read_text("utf-8")
    assert f"(95 % CI {low}–{high})" in page  # the headline
    assert f">{low} – {high}</td>" in page  # the table


def test_all_links_of_all_pages_exist(out: Path) -> None:
    """Linked pages, figures, tables, scripts and anchors exist."""
    report = out / "report"
    pages = sorted(report.glob("*.html"))

    assert [page.name for page in pages] == ["dataset-bay.html", "dataset-lake.html", "index.html", "warnings.html"]
    for page in pages:
        addresses = set(re.findall(r'(?:href|src)="([^"]*)"', page.read_text("utf-8"))) - {"data:,"}
        assert {"assets/report.css", "assets/report.js"} < addresses
        missing = []
        for address in addresses:
            name, _, anchor = address.partition("#")
            target = report / unquote(name) if name else page
            if not target.is_file() or (anchor and f'id="{anchor}"' not in target.read_text("utf-8")):
                missing.append(address)

        assert missing == []


def test_tables_are_returned_as_written(out: Path, again: tuple[Path, Results]) -> None:
    """Warnings have one row for each warning of a data set; every table with rows is a file."""
    _, results = again
    files = {path.name for path in (out / "report" / "tables").glob("*.csv")}

    assert results.warnings.columns.tolist() == list(WARNING_COLUMNS)
    assert results.warnings.loc[results.warnings["code"] == "W07", "dataset"].tolist() == ["bay"]
    assert {name for name, table in results.tables.items() if len(table)} <= files
    assert results.leaderboard["track"].tolist() == pd.read_csv(out / "report/tables/leaderboard.csv")["track"].tolist()


def test_the_report_is_reproducible(out: Path, again: tuple[Path, Results]) -> None:
    """A report from copied cards, predictions and truth is byte for byte the same."""
    copy, results = again

    assert names(copy) == names(out)
    assert [name for name in names(out) if (out / name).read_bytes() != (copy / name).read_bytes()] == []
    assert results.scores["track"].tolist() == ["good", "good", "good", "lost"]


def test_several_splits_of_a_data_set_have_separate_files(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """File names contain the split if a data set has several."""
    for split in ("kfold2.v1-fold0", "kfold2.v1-fold1", "holdout.v1"):
        add_run(tmp_path, split=split)
    write_results(tmp_path)
    tables = {path.name for path in (tmp_path / "report" / "tables").iterdir()}

    for split in ("holdout.v1", "kfold2.v1"):
        assert (tmp_path / "report" / f"dataset-lake-{split}.html").is_file()
        assert {f"lake-{split}-good-{kind}.csv" for kind in ("confusion", "per-class")} < tables


@pytest.mark.parametrize("broken", ["SectionFiles", "render_dataset", "_write_assets"])
def test_the_old_report_is_kept_if_a_new_one_fails(
    tmp_path: Path, add_run: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The report is replaced completely or not at all, and no temporary folder is left."""
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


def test_files_of_an_old_report_are_removed(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Tables of removed tracks and remains of an interrupted report are deleted."""
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
    """The message names the file, and the old scores are kept."""
    path = add_run(tmp_path) / name
    path.write_bytes(path.read_bytes()[:100])
    (tmp_path / "scores.csv").write_text("old")
    with pytest.raises(DataError) as caught:
        write_results(tmp_path)

    assert str(caught.value).startswith(f"{path} ")
    assert (tmp_path / "scores.csv").read_text() == "old"

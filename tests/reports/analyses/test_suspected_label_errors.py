"""Suspected label errors and their table for EcoTaxa."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from planktonbench.reports.analyses.suspected_label_errors import (
    MOST_SUSPECTED,
    SHOWN,
    SuspectedLabelErrors,
    ecotaxa_text,
    suspected_label_errors,
)
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.reports.results.section import Section


def set_scores(section: Section, scores: list[float]) -> None:
    """Replace the scores of the predicted classes of the first test objects of a section's run."""
    path = section.runs[0].folder / "predictions.parquet"
    table = pd.read_parquet(path)
    for row, (predicted, score) in enumerate(zip(table["taxon"].tolist(), scores, strict=False)):
        table[f"score:{predicted}"] = table[f"score:{predicted}"].mask(table.index == row, score)
    table.to_parquet(path, index=False)


def test_most_confident_error_comes_first(make_section: Callable[..., Section]) -> None:
    """Correct predictions are not errors, whatever their confidence."""
    section = make_section({"wrong": 3})
    set_scores(section, [0.5, 0.9, 0.7])
    predictions = section.runs[0].predictions
    wrong = predictions.loc[predictions["taxon"] != predictions["predicted"], "object_id"].tolist()
    found = suspected_label_errors(section.tracks[0])

    assert found is not None
    assert found["object_id"].tolist() == [wrong[1], wrong[2], wrong[0]]
    assert found["score"].round(2).tolist() == [0.9, 0.7, 0.5]


def test_objects_of_withheld_classes_are_not_suspected(tmp_path: Path, add_run: Callable[..., Path]) -> None:
    """Their predictions must be wrong if the track did not learn the class."""
    found = []
    for withheld in ([], ["Copepoda"]):
        add_run(tmp_path / str(withheld), wrong=9, withheld=withheld)
        (section,) = sections_of(read_runs(tmp_path / str(withheld)))
        found.append(suspected_label_errors(section.tracks[0]))
    everything, others = found

    assert everything is not None
    assert others is not None
    assert set(everything["taxon"]) == {"Copepoda", "detritus"}
    assert others["object_id"].tolist() == everything.loc[everything["taxon"] != "Copepoda", "object_id"].tolist()


def test_object_of_several_runs_is_listed_once(make_section: Callable[..., Section]) -> None:
    """It has the score of the most confident error."""
    section = make_section({"wrong": 21, "seed": 0}, {"wrong": 21, "seed": 3})
    found = suspected_label_errors(section.tracks[0], most=5)

    assert found is not None
    assert len(set(found["object_id"])) == len(found) == 5


def test_predictions_without_scores_have_no_table(make_section: Callable[..., Section]) -> None:
    """Errors cannot be sorted without scores."""
    section = make_section({"wrong": 3})
    path = section.runs[0].folder / "predictions.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)

    assert suspected_label_errors(section.tracks[0]) is None


def test_track_without_errors_has_an_empty_table(make_section: Callable[..., Section]) -> None:
    """The table of a perfect track is empty, not None."""
    found = suspected_label_errors(make_section({"wrong": 0}).tracks[0])

    assert found is not None
    assert found.empty


def test_table_for_ecotaxa_has_names_types_and_objects() -> None:
    """Tab-separated with types in the second line; labels are unchanged and become dubious."""
    table = pd.DataFrame({"object_id": ["o1"], "taxon": ["egg<other"], "predicted": ["Copepoda"], "score": [0.98765]})
    lines = [line.split("\t") for line in ecotaxa_text(table, "good").splitlines()]

    assert dict(zip(lines[0], lines[1], strict=True)) == {
        "object_id": "[t]", "object_annotation_status": "[t]", "object_annotation_category": "[t]",
        "object_predicted": "[t]", "object_predicted_score": "[f]", "object_predicted_by": "[t]",
    }  # fmt: skip
    assert lines[2:] == [["o1", "dubious", "egg<other", "Copepoda", "0.9877", "good"]]


def test_errors_of_the_best_track_are_shown(make_section: Callable[..., Section]) -> None:
    """The first ones with label, predicted taxon and score; files have more of them."""
    analysis, taxa = SuspectedLabelErrors(), {"egg": 300, "Zoea": 300}
    section = make_section({"taxa": taxa, "wrong": 120}, {"taxa": taxa, "track": "bad", "wrong": 180})
    pictures = analysis.pictures(section)
    (file,) = analysis.files(section, [])

    assert "taxon as predicted by good" in analysis.description.format(best="good")
    assert analysis.remarks(section, pd.DataFrame()) == []
    assert len(pictures) == SHOWN
    assert pictures[0].caption == (("label", "egg", ""), ("predicted", "Zoea", "score 1.000"))
    assert (file.name, file.title) == ("good-suspected-label-errors.tsv", "good")
    assert len(file.content.splitlines()) == 2 + MOST_SUSPECTED
    assert file.content.splitlines()[2].startswith(f"{pictures[0].object_id}\t")


def test_files_are_of_tracks_not_distinguishable_from_the_best(make_section: Callable[..., Section]) -> None:
    """Confident errors of a poor classifier reveal nothing about labels."""
    section = make_section({"wrong": 1}, {"track": "fair", "wrong": 2}, {"track": "bad", "wrong": 9})
    files = SuspectedLabelErrors().files(section, ["good", "fair"])

    assert [file.title for file in files] == ["good", "fair"]


def test_reasons_for_missing_errors_are_given(make_section: Callable[..., Section]) -> None:
    """All predictions are correct, or the best track stored no scores."""
    analysis, section = SuspectedLabelErrors(), make_section({"wrong": 0})
    perfect = analysis.remarks(section, pd.DataFrame())
    path = section.runs[0].folder / "predictions.parquet"
    pd.read_parquet(path)[["object_id", "taxon"]].to_parquet(path, index=False)
    (again,) = sections_of(read_runs(section.runs[0].out))

    assert perfect == ["None: all test objects are predicted as labelled."]
    assert analysis.pictures(again) == []
    assert analysis.files(again, []) == []
    assert analysis.remarks(again, pd.DataFrame()) == ["good stored no scores, so that its errors cannot be ranked."]

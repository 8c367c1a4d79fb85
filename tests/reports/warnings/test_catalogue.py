"""Methodological warnings and the conditions under which they apply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.reports.comparisons.fusion_gain import FUSION, fusion_table
from planktonbench.reports.comparisons.leaderboard import leaderboards_of
from planktonbench.reports.comparisons.paired_evaluation import Resampling
from planktonbench.reports.results.section import sections_of
from planktonbench.reports.results.stored_run import read_runs
from planktonbench.reports.warnings.catalogue import (
    COLUMNS,
    KINDS,
    store_evidence,
    warnings_before_runs,
    warnings_of,
    warnings_page,
    warnings_table,
)
from planktonbench.reports.warnings.duplicates import FEWEST_COLUMNS, Duplicates
from planktonbench.reports.warnings.kind import SplitData
from planktonbench.reports.warnings.single_features import SingleFeatures

if TYPE_CHECKING:
    from collections.abc import Callable

    from planktonbench.reports.results.section import Section


def tables_of(section: Section) -> dict[str, pd.DataFrame]:
    """Return the tables that warnings read."""
    return {FUSION: fusion_table(leaderboards_of([section], Resampling(draws=50)))}


def texts(section: Section) -> dict[str, str]:
    """Return the texts of the warnings of a section by code."""
    warnings = warnings_of(section, tables_of(section))
    assert len({warning.kind.code for warning in warnings}) == len(warnings)
    return {warning.kind.code: warning.text for warning in warnings}


def test_every_kind_has_a_unique_code_and_a_section() -> None:
    """The page in docs is the one that the module generates."""
    page = warnings_page()
    docs = Path(__file__).resolve().parents[3] / "docs" / "warnings.md"

    assert [kind.code for kind in KINDS] == sorted({kind.code for kind in KINDS})
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert all(f"## {kind.code} {kind.name}\n" in page for kind in KINDS)
    if docs.is_file():
        assert docs.read_text("utf-8") == page


def test_samples_shared_by_training_and_test_are_counted(make_section: Callable[..., Section]) -> None:
    """The warning gives the number of affected test objects and the first sample names."""
    text = texts(make_section())["W01"]

    assert text.startswith("21 of 21 test objects come from samples that also have training objects (5 samples: s0")


@pytest.mark.parametrize("samples", [0, 1])
def test_objects_are_units_without_samples(make_section: Callable[..., Section], samples: int) -> None:
    """A single sample counts as no samples, and is not reported as shared."""
    found = texts(make_section({"samples": samples}))

    assert "W03" in found
    assert "W01" not in found


def test_samples_as_units_need_no_warning(make_section: Callable[..., Section]) -> None:
    """Intervals come from samples as they should."""
    assert "W03" not in texts(make_section())


@pytest.mark.parametrize(
    ("rare", "expected"),
    [(6, "1 of 2 classes have fewer than 5 samples in the test rows of the first run: Zoea."), (60, None)],
)
def test_classes_with_few_clusters_are_listed(
    make_section: Callable[..., Section], rare: int, expected: str | None
) -> None:
    """Classes with fewer than five samples are counted and named."""
    assert texts(make_section({"taxa": {"egg": 90, "Zoea": rare}})).get("W02") == expected


@pytest.mark.parametrize(("wrong", "warned"), [(60, True), (0, False)])
def test_a_fusion_is_compared_with_its_best_base_model(
    make_section: Callable[..., Section], wrong: int, *, warned: bool
) -> None:
    """A warning is given unless the interval is above zero."""
    taxa = {"egg": 300, "Zoea": 300}
    base_runs = {"one": "a" * 64, "two": "b" * 64}
    base = {"taxa": taxa, "samples": 0}
    section = make_section(
        {**base, "track": "one", "wrong": 60},
        {**base, "track": "two", "wrong": 80, "wrong_valid": 50},
        {**base, "track": "fused", "wrong": wrong, "parts": base_runs},
    )
    found = texts(section)

    assert ("W04" in found) is warned
    if warned:
        assert found["W04"].startswith(
            "fused is not significantly better than one, its best base model: +0.000 macro F1"
        )


@pytest.mark.parametrize(("wrong", "warned"), [((27, 27, 27), False), ((75, 5, 20), True)])
def test_a_fusion_is_judged_over_all_runs(
    make_section: Callable[..., Section], wrong: tuple[int, ...], *, warned: bool
) -> None:
    """The pooled comparison decides: three small gains are one, and two large ones beside a loss are none."""
    base = {"taxa": {"egg": 300, "Zoea": 300}, "samples": 0}
    runs = [
        {**base, "seed": seed, "track": track, "wrong": count, **parts}
        for seed, count_of_fusion in enumerate(wrong)
        for track, count, parts in (
            ("one", 30, {}), ("fused", count_of_fusion, {"parts": {"one": "a" * 64}}),
        )
    ]  # fmt: skip
    section = make_section(*runs)
    *single, pooled = tables_of(section)[FUSION].to_dict("records")
    found = texts(section)

    assert pooled["n_runs"] == 3
    assert [row["verdict"] for row in single] == (["worse", "better", "better"] if warned else ["tie"] * 3)
    assert ("W04" in found) is warned is (pooled["verdict"] != "better")
    if warned:
        interval = f"{pooled['delta']:+.3f} macro F1 [{pooled['lo']:+.3f}, {pooled['hi']:+.3f}], mean over 3 runs."
        assert found["W04"] == f"fused is not significantly better than one, its best base model: {interval}"


def test_duplicates_of_training_objects_in_test_are_listed(
    make_section: Callable[..., Section],
) -> None:
    """Only duplicates across subsets count, and only if they were found in the same data."""
    section = make_section()
    truth = section.runs[0].truth
    ids = {subset: rows["object_id"].tolist() for subset, rows in truth.groupby("part")}
    groups = [[ids["train"][0], ids["test"][0]], ids["test"][1:3], ids["train"][1:3]]
    path = Duplicates.of(section.runs[0].out, "lake").path
    path.parent.mkdir()
    path.write_text(json.dumps({"data_sha256": "c" * 64, "groups": groups}))

    assert texts(section)["W05"].startswith("1 test objects have a duplicate")
    assert texts(section)["W05"].endswith(f"training objects: {ids['test'][0]}.")
    path.write_text(json.dumps({"data_sha256": "another", "groups": groups}))
    assert "W05" not in texts(section)


def test_duplicates_are_searched_while_the_data_set_is_open(
    make_section: Callable[..., Section], tmp_path: Path
) -> None:
    """They are stored in the results folder, for reports without the data."""
    section = make_section()
    ids = section.runs[0].truth["object_id"]
    (tmp_path / "lake").mkdir()
    pd.DataFrame({"object_id": ids, "taxon": "egg"}).to_csv(tmp_path / "lake" / "meta.csv", index=False)
    native = pd.DataFrame({f"f{k}": 1.0 for k in range(FEWEST_COLUMNS)}, index=ids.index)
    native.assign(object_id=ids).to_csv(tmp_path / "lake" / "features_native.csv", index=False)
    out = section.runs[0].out
    store_evidence(out, open_folder(manifest_of_folder("lake"), tmp_path / "lake"))

    assert Duplicates.of(out, "lake").groups == [sorted(ids)]


@pytest.mark.parametrize(
    ("leak", "expected"), [(True, "1 of 8 features alone recognise the taxa far better"), (False, None)]
)
def test_a_feature_that_leaks_the_label_is_named(
    make_section: Callable[..., Section], tmp_path: Path, *, leak: bool, expected: str | None
) -> None:
    """It is found among training and validation objects alone, and before the runs as after them."""
    section = make_section({"taxa": {"egg": 60, "Zoea": 60, "Retaria": 60}})
    run, rng = section.runs[0], np.random.default_rng(0)
    truth = run.truth
    codes = pd.factorize(truth["taxon"])[0]
    columns = {f"f{k}": codes / 3 + rng.normal(size=len(codes)) for k in range(7)}
    columns["folder"] = np.where(truth["part"] == "test", 0, codes) if leak else rng.permutation(codes)
    (tmp_path / "lake").mkdir()
    truth[["object_id", "taxon"]].to_csv(tmp_path / "lake" / "meta.csv", index=False)
    pd.DataFrame(columns).assign(object_id=truth["object_id"]).to_csv(
        tmp_path / "lake" / "features_native.csv", index=False
    )
    store_evidence(run.out, open_folder(manifest_of_folder("lake"), tmp_path / "lake"))
    path = SingleFeatures.of(run.out, "lake").path
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"data_sha256": run.card.data.sha256}))

    found = texts(section).get("W09")
    before = warnings_before_runs(SplitData(run.out, "lake", run.card.data.sha256, truth))

    assert content["n_objects"] == (truth["part"] != "test").sum()
    assert {warning.kind.code: warning.text for warning in before}.get("W09") == found
    assert (found or "").startswith(expected or "")
    assert (found is None) == (expected is None)
    if found:
        assert found.endswith("folder 1.00.")


def test_track_that_predicts_one_class_is_named(make_section: Callable[..., Section]) -> None:
    """The warning names the predicted class."""
    section = make_section({}, {"track": "stuck"})
    path = next(run.folder for run in section.runs if run.card.track.name == "stuck") / "predictions.parquet"
    pd.read_parquet(path).assign(taxon="detritus").to_parquet(path, index=False)

    (again,) = sections_of(read_runs(section.runs[0].out))

    assert texts(again)["W06"] == "stuck predicts detritus for every test object."


@pytest.mark.parametrize(
    ("config", "origin"),
    [
        ({"track": "predictions-file", "file": "t.csv"}, "the predictions were submitted as a file"),
        ({}, "the track was run by planktonbench"),
    ],
)
def test_perfect_predictions_are_named(
    make_section: Callable[..., Section], config: dict[str, str], origin: str
) -> None:
    """They have a warning whatever their origin; a single error is enough to have none."""
    choices = [{"seed": seed, "track": "oracle", "wrong": 0, "config": config} for seed in (0, 1)]
    section = make_section(*choices, {"wrong": 1}, {**choices[0], "seed": 2, "wrong": 1})

    assert texts(section)["W15"] == f"oracle predicts every test object as labelled in 2 of 3 runs; {origin}."


def test_simulated_data_have_a_warning(make_section: Callable[..., Section]) -> None:
    """Independent of other warnings."""
    assert texts(make_section({"simulated": True}))["W07"] == "Simulated data: these are not results on real plankton."


def test_section_without_a_finished_run_has_warnings_about_the_split(make_section: Callable[..., Section]) -> None:
    """The split is known even if no run has finished."""
    assert set(texts(make_section({"status": "failed", "reason": "oh"}))) == {"W01"}


@pytest.mark.parametrize(("samples", "warned"), [(4, True), (5, False), (0, False)])
def test_few_samples_are_reported(make_section: Callable[..., Section], samples: int, *, warned: bool) -> None:
    """The warning gives their number over all test objects; it applies only if samples are units."""
    found = texts(make_section({"taxa": {"egg": 300, "Zoea": 300}, "samples": samples}))

    assert ("W08" in found) is warned
    if warned:
        assert found["W08"] == "The test objects of the first run come from 4 samples."


def test_table_has_a_row_for_each_warning(make_section: Callable[..., Section]) -> None:
    """With code, name, data set and split."""
    section = make_section({"simulated": True})
    warnings = warnings_of(section, tables_of(section))
    table = warnings_table([(section, warnings)])

    assert table.columns.tolist() == list(COLUMNS)
    assert table["code"].tolist() == [warning.kind.code for warning in warnings]
    assert set(table["dataset"]) == {"lake"}

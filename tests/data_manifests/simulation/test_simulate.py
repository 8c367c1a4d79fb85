"""Simulated data set: reproducible from its seed, with the layout and faults of the real one, written atomically."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench import DataError
from planktonbench.data_manifests.manifest import load_manifest
from planktonbench.data_manifests.simulation import simulate as module
from planktonbench.data_manifests.simulation.native_table import NEEDS_FRAME, NEEDS_HOLES
from planktonbench.data_manifests.simulation.published import QUARTILES, compare_with_published
from planktonbench.data_manifests.simulation.simulate import FILES, simulate
from planktonbench.features.measured.challenge import CHALLENGE_TABLE, COLUMNS

OBJECTS = 2500


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated data set."""
    return simulate("flowcam", tmp_path_factory.mktemp("made") / "set", CHALLENGE_TABLE, objects=OBJECTS, seed=1)


@pytest.fixture(scope="module")
def meta(made: Path) -> pd.DataFrame:
    """Its object table."""
    return pd.read_csv(made / "meta.csv")


@pytest.fixture(scope="module")
def native(made: Path) -> pd.DataFrame:
    """Its native table."""
    return pd.read_csv(made / "features_native.csv")


def test_files_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    """One process and three give identical files."""
    for jobs in (1, 3):
        simulate("flowcam", tmp_path / str(jobs), CHALLENGE_TABLE, objects=600, seed=4, jobs=jobs)

    assert [
        name for name in FILES if (tmp_path / "1" / name).read_bytes() != (tmp_path / "3" / name).read_bytes()
    ] == []


def test_another_seed_draws_other_objects(tmp_path: Path) -> None:
    """Tables and images differ."""
    for seed in (1, 2):
        simulate("flowcam", tmp_path / str(seed), CHALLENGE_TABLE, objects=480, seed=seed)

    assert (tmp_path / "1" / "meta.csv").read_bytes() != (tmp_path / "2" / "meta.csv").read_bytes()
    assert (tmp_path / "1" / "imgs.zip").read_bytes() != (tmp_path / "2" / "imgs.zip").read_bytes()


def test_it_opens_as_a_data_set_marked_as_simulated(made: Path) -> None:
    """It has all 39 taxa, samples, native features and an image per object, and is marked as simulated throughout."""
    data = pb.load("flowcam", made)
    marker = json.loads((made / "simulation.json").read_text("utf-8"))

    assert data.simulated
    assert data.classes == tuple(sorted(load_manifest("flowcam").classes))
    assert data.objects["sample"].nunique() >= 10
    assert data.native is not None
    assert set(data.native.columns) == set(COLUMNS)
    assert data.images is not None
    assert len(data.images) == OBJECTS
    assert data.reference.startswith("Simulated")
    assert marker["simulated"] is True
    assert (marker["objects"], marker["seed"]) == (OBJECTS, 1)


def test_tables_look_like_the_real_ones(meta: pd.DataFrame, native: pd.DataFrame) -> None:
    """They have the published header, ids as integers in one table and floats in the other, and status "simulated"."""
    where = "objid projid id status latitude longitude objdate objtime depth_min depth_max"

    assert list(meta.columns) == f"{where} unique_name lineage level1 level2".split()
    assert meta["objid"].dtype == np.int64
    assert native["objid"].dtype == np.float64
    assert set(meta["status"]) == {"simulated"}
    assert meta["objid"].is_unique


def test_taxa_have_the_published_proportions(meta: pd.DataFrame) -> None:
    """Each taxon has at least twelve objects, and the published share of objects has no taxon."""
    published = pd.Series(load_manifest("flowcam").classes)
    counts = meta["level2"].value_counts()
    expected = published / published.sum() * counts.sum()
    common = expected.index[expected > 60]

    assert counts.min() >= 12
    assert set(counts.index) == set(published.index)
    assert (counts[common] / expected[common]).between(0.8, 1.02).all()
    assert meta["level2"].isna().sum() == round(OBJECTS * 1003 / 243_610)


def test_values_are_missing_as_published(native: pd.DataFrame) -> None:
    """Some columns are missing in one row in seven, others where the frame is unknown."""
    no_holes = native[NEEDS_HOLES[0]].isna()
    no_frame = native["meanimagegrey"] == 0
    complete = native.columns.difference([*NEEDS_HOLES, *NEEDS_FRAME])

    for name in NEEDS_HOLES:
        assert (native[name].isna() == no_holes).all()
    for name in NEEDS_FRAME:
        assert (native[name].isna() == no_frame).all()
    assert native[complete].notna().all(axis=None)
    assert no_holes.mean() == pytest.approx(0.1413, abs=0.03)
    assert no_frame.mean() == pytest.approx(0.0281, abs=0.012)


def test_measurements_match_the_published_quartiles(native: pd.DataFrame) -> None:
    """For most features, the median lies between the published quartiles."""
    table = compare_with_published(native)

    assert set(QUARTILES) <= set(COLUMNS)
    assert table["within"].sum() >= 20


def test_samples_differ_in_composition_and_background(meta: pd.DataFrame, native: pd.DataFrame) -> None:
    """Each sample has its own mixture of taxa and its own background; it is one place on one day."""
    sample = meta["unique_name"]
    shares = pd.crosstab(sample, meta["level2"] == "detritus", normalize="index")[True]
    grey = native["meanimagegrey"][native["meanimagegrey"] > 0].groupby(sample)

    assert shares.std() > 0.1
    assert grey.median().std() > 1
    assert meta.groupby("unique_name")[["latitude", "longitude", "objdate"]].nunique().max(axis=None) == 1


def test_objects_of_a_taxon_are_more_similar_within_a_sample(meta: pd.DataFrame, native: pd.DataFrame) -> None:
    """Samples explain far more of the variance of sizes and grey levels than random groups do."""
    detritus = (meta["level2"] == "detritus").to_numpy()
    values, sample = np.log(native.loc[detritus, ["area", "mean"]]), meta.loc[detritus, "unique_name"].to_numpy()
    shuffled = np.random.default_rng(0).permutation(sample)
    explained, by_chance = (
        values.groupby(groups).transform("mean").var() / values.var() for groups in (sample, shuffled)
    )

    assert (explained > 3 * by_chance).all()
    assert (explained > 0.06).all()


def test_an_existing_simulation_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept for the same settings and replaced for others."""
    drawn: list[int] = []
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)
    monkeypatch.setattr(module, "_write", lambda *_: pytest.fail("it was simulated again"))
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0, advance=drawn.append)
    monkeypatch.undo()
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=481, seed=0)

    assert drawn == [480]
    assert len(pd.read_csv(tmp_path / "set" / "meta.csv")) == 481


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"name": "flowcan"}, "There is no simulator for 'flowcan'. Did you mean flowcam?"),
        ({"objects": 300}, "299 labelled objects are too few for 39 taxa of at least 12 each; request 473"),
        ({"jobs": 0}, "jobs is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_invalid_settings_are_reported(tmp_path: Path, choices: dict[str, object], message: str) -> None:
    """The message has the invalid value and the valid ones; nothing is written."""
    settings = {"name": "flowcam", "objects": 480, "seed": 0} | choices

    with pytest.raises(DataError, match=message):
        simulate(str(settings.pop("name")), tmp_path / "set", CHALLENGE_TABLE, **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("simulated", [False, True])
def test_a_folder_with_other_files_is_not_touched(tmp_path: Path, *, simulated: bool) -> None:
    """The user's files are never replaced, not even next to an earlier simulation."""
    folder = tmp_path / "set"
    if simulated:
        simulate("flowcam", folder, CHALLENGE_TABLE, objects=480, seed=0)
    folder.mkdir(exist_ok=True)
    (folder / "thesis.txt").write_text("years of work")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(
        DataError, match=r"contains files that are not part of a simulation: thesis.txt\. Expected a new"
    ):
        simulate("flowcam", folder, CHALLENGE_TABLE, objects=481, seed=0)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_instead_of_a_folder_is_reported(tmp_path: Path) -> None:
    """The file is not changed."""
    (tmp_path / "set").write_text("a note")

    with pytest.raises(DataError, match="contains files that are not part of a simulation: set"):
        simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)
    assert (tmp_path / "set").read_text() == "a note"


def test_the_working_directory_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell would be left in a deleted folder; the message suggests a new one."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(DataError, match=r"is the working directory .* such as --out simulated"):
        simulate("flowcam", Path(), CHALLENGE_TABLE, objects=480, seed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    """The files are written to its target, and the link is kept."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    simulate("flowcam", tmp_path / "link", CHALLENGE_TABLE, objects=480, seed=0)

    assert (tmp_path / "link").is_symlink()
    assert {path.name for path in (tmp_path / "disk").iterdir()} == set(FILES)


@pytest.mark.parametrize("lost", ["meta.csv", "imgs.zip"])
def test_an_incomplete_simulation_is_repeated(tmp_path: Path, lost: str) -> None:
    """A simulation is kept only if all its files exist."""
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)
    content = (tmp_path / "set" / lost).read_bytes()
    (tmp_path / "set" / lost).unlink()
    simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)

    assert (tmp_path / "set" / lost).read_bytes() == content


def test_a_full_disk_leaves_no_incomplete_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported, and incomplete files are removed."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_append", full)
    with pytest.raises(
        DataError, match=r"cannot be written: .*No space left.* Free some space or choose another folder"
    ):
        simulate("flowcam", tmp_path / "set", CHALLENGE_TABLE, objects=480, seed=0)
    assert list(tmp_path.iterdir()) == []

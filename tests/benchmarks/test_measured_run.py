"""Runs on features measured from images: by default, on request, together with a native table, and repeated."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import planktonbench as pb
import pytest
from planktonbench.benchmarks.execution.settings import Settings
from planktonbench.benchmarks.planning.feature_tables import feature_tables
from planktonbench.data_manifests.dataset import open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder
from planktonbench.features.measured import catalogue
from planktonbench.features.measured.catalogue import NAMES
from planktonbench.features.preparation.object_table import PREFIX
from planktonbench.reports.pages.write import write_results
from planktonbench.reports.run_files.card import Card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from planktonbench.data_manifests.dataset import Dataset

pytestmark = pytest.mark.usefixtures("scores_only")

SHAPES = ("bar", "disc", "ring")
OBJECTS = 16  # of each shape


def drawn(shape: str, rng: np.random.Generator, *, side: int = 40) -> np.ndarray:
    """Draw a dark shape of random size on a light background with noise."""
    image = np.full((side, side), 220, np.uint8)
    size = int(rng.integers(7, 12))
    middle = (side // 2, side // 2)
    if shape == "bar":
        cv2.rectangle(image, (middle[0] - 2, 4), (middle[0] + 2, 4 + 2 * size), 60, -1)
    else:
        cv2.circle(image, middle, size, 60, -1 if shape == "disc" else 2)
    return np.asarray(image - rng.integers(0, 3, image.shape, dtype=np.uint8), np.uint8)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """A folder of class folders with three shapes, 48 images, no native table."""
    rng = np.random.default_rng(4)
    for shape in SHAPES:
        (tmp_path / "lake" / shape).mkdir(parents=True)
        for number in range(OBJECTS):
            cv2.imwrite(str(tmp_path / "lake" / shape / f"{shape}{number}.png"), drawn(shape, rng))
    return tmp_path / "lake"


def suite_file(images: Path, *, entry: dict[str, object] | None = None, **keys: object) -> str:
    """Write a suite for the data set `lake` in the neighbouring folder of images, and return its path."""
    content = {
        "name": "mine",
        "datasets": [{"name": "lake", "path": images.name, **(entry or {})}],
        "tracks": ["majority"],
        "seeds": [0],
        **keys,
    }
    path = images.with_name("mine.yaml")
    path.write_text(json.dumps(content))
    return str(path)


def card_of(out: Path, track: str = "majority") -> Card:
    """Return the card of the only run of a track."""
    (path,) = (out / "runs" / "lake" / track).rglob("card.json")
    return Card.from_text(path.read_bytes())


def opened(folder: Path, **properties: object) -> Dataset:
    """Open a folder with a manifest that has these properties of images."""
    return open_folder(manifest_of_folder("lake").model_copy(update=properties), folder)


def stamps(folder: Path) -> dict[Path, int]:
    """Return the modification time of each file below a folder."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_images_without_a_native_table_are_measured(
    lake: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The measurement is logged, the features distinguish the shapes, and the card contains the settings."""
    table = pb.run(suite_file(lake, tracks=["forest-native"]), out=tmp_path / "out")
    err = capfd.readouterr().err

    assert table["status"].tolist() == ["done"]
    assert table["macro_f1"].item() > 0.9
    assert "lake: measuring 48 images, there is no native table (light background)" in err
    assert f"lake: {len(NAMES)} features of 48 images measured\n" in err
    features = card_of(tmp_path / "out", "forest-native").track.features
    assert {key: features[key] for key in ("table", "background", "pieces", "scale_bar", "version")} == {
        "table": "measured",
        "background": "light",
        "pieces": "all",
        "scale_bar": 0,
        "version": catalogue.VERSION,
    }


@pytest.mark.report
def test_a_second_run_does_nothing(lake: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Measurements, runs and pictures are not repeated, even with another number of processes."""
    file = suite_file(lake)
    pb.run(file, out=tmp_path / "out")
    before = stamps(tmp_path / "out" / "runs") | stamps(tmp_path / "out" / "outlines")
    capfd.readouterr()
    pb.run(file, out=tmp_path / "out", jobs=2)
    err = capfd.readouterr().err

    assert stamps(tmp_path / "out" / "runs") | stamps(tmp_path / "out" / "outlines") == before
    assert "48 of them by an earlier run" in err
    assert "0 of 1 runs to do (1 finished before)" in err


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"scale_bar": 5}, "measured with scale_bar: 0 → 5"),
        ({"background": "dark"}, "measured with background: light → dark"),
        ({"pixel_size_um": 2.5}, "measured with pixel_size_um: None → 2.5"),
    ],
)
def test_other_measurement_settings_cause_a_rerun(
    lake: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], entry: dict[str, object], words: str
) -> None:
    """The log names the changed setting, and the old run is kept."""
    pb.run(suite_file(lake), out=tmp_path / "out")
    pb.run(suite_file(lake, entry=entry), out=tmp_path / "out")

    assert words in capfd.readouterr().err
    assert len(list((tmp_path / "out" / "replaced").rglob("card.json"))) == 1


def test_another_version_of_the_features_causes_a_rerun(
    lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Values of different versions of the features are never mixed."""
    pb.run(suite_file(lake), out=tmp_path / "out")
    before = card_of(tmp_path / "out").track.features["version"]
    monkeypatch.setattr(catalogue, "VERSION", 99)
    pb.run(suite_file(lake), out=tmp_path / "out")

    assert f"feature version: {before} → 99" in capfd.readouterr().err


def test_an_image_changed_in_place_causes_a_rerun(
    lake: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """File size and name are the same, and so is the hash of the data; the measured values differ."""
    content = {level: np.full((10, 10), level, np.uint8) for level in (10, 90)}
    for level, path in zip((10, 90), (lake / "disc" / "x.bmp", tmp_path / "other.bmp"), strict=True):
        picture = np.full((40, 40), 220, np.uint8)
        picture[9:19, 9:19] = content[level]
        cv2.imwrite(str(path), picture)
    pb.run(suite_file(lake), out=tmp_path / "out")
    (lake / "disc" / "x.bmp").write_bytes((tmp_path / "other.bmp").read_bytes())
    pb.run(suite_file(lake), out=tmp_path / "out")

    assert "rerun because the following changed: the measured values" in capfd.readouterr().err


def test_native_measured_and_both_in_one_suite(challenge: Path, tmp_path: Path) -> None:
    """Each track uses its own feature table; the default is the native one."""
    tracks = [
        {"track": "majority", "as": name, "features": table}
        for name, table in (("own", "native"), ("ours", "measured"), ("both", "native+measured"))
    ]
    table = pb.run(suite_file(challenge, tracks=[*tracks, "majority"]), out=tmp_path / "out")
    used = {
        name: card_of(tmp_path / "out", name).track.features["table"] for name in ("own", "ours", "both", "majority")
    }

    assert set(table["status"]) == {"done"}
    assert used == {"own": "native", "ours": "measured", "both": "native+measured", "majority": "native"}


def test_columns_of_both_tables_never_clash(challenge: Path) -> None:
    """Native `area` and measured `area` are two columns, native ones first; rows are the objects in their order."""
    data = opened(challenge)
    assert data.native is not None
    tables = feature_tables(data, ["native", "measured", "native+measured", None], Settings())
    read = {kind: pd.read_parquet(str(table.path)).set_index("object_id") for kind, table in tables.items()}

    assert list(read["measured"].columns) == list(NAMES)
    assert list(read["native+measured"].columns) == [*data.native.columns, *(f"{PREFIX}{name}" for name in NAMES)]
    assert all(table.index.tolist() == data.objects["object_id"].tolist() for table in read.values())
    pd.testing.assert_series_equal(read["native+measured"]["area"], read["native"]["area"])
    pd.testing.assert_series_equal(
        read["native+measured"]["measured:area"], read["measured"]["area"], check_names=False
    )
    assert tables[None] == tables["native"]


def test_native_columns_with_measured_names_are_rejected(make_challenge: Callable[..., Path]) -> None:
    """The error is raised before anything runs."""
    folder = make_challenge(native=lambda t: t.assign(**{"measured:area": 1.0, "measured:mean": 2.0}))

    with pytest.raises(
        pb.DataError, match=r"measured:area, measured:mean.*Remove these columns, or set 'features: native'"
    ):
        feature_tables(opened(folder), ["native+measured"], Settings())


@pytest.mark.report
def test_images_that_cannot_be_measured_are_reported(lake: Path, tmp_path: Path) -> None:
    """Values of damaged images are missing; card and report list them, and images without an object, too."""
    (lake / "bar" / "bar0.png").write_bytes(b"no image")
    (lake / "disc" / "disc1.png").write_bytes(b"")
    cv2.imwrite(str(lake / "ring" / "ring2.png"), np.full((9, 9), 200, np.uint8))
    table = pb.run(suite_file(lake, tracks=["forest-native", "majority"]), out=tmp_path / "out")
    data = opened(lake)
    values = pd.read_parquet(str(feature_tables(data, [None], Settings())[None].path)).set_index("object_id")
    notes = {note.code: note for note in card_of(tmp_path / "out").notes}
    page = (tmp_path / "out" / "report" / "dataset-lake.html").read_text("utf-8")

    assert set(table["status"]) == {"done"}
    assert values.loc[["bar0", "disc1"]].isna().all(axis=None)
    assert [example.split()[0] for example in notes["not-measured"].examples] == ["bar0", "disc1"]
    assert notes["not-measured"].examples[1] == "disc1 (empty)"
    assert (notes["nothing-found"].count, notes["nothing-found"].examples) == (1, ["ring2"])
    assert "1 of 48 images show nothing that stands out" in page
    assert "2 objects have no image that can be measured" in page


def test_an_object_without_image_has_missing_values(challenge: Path) -> None:
    """The object is kept, since it has native values."""
    with zipfile.ZipFile(challenge / "imgs.zip") as archive:
        kept = {name: archive.read(name) for name in archive.namelist()[2:]}
    with zipfile.ZipFile(challenge / "imgs.zip", "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)
    data = opened(challenge)
    assert data.images is not None
    table = feature_tables(data, ["native+measured"], Settings())["native+measured"]
    values = pd.read_parquet(str(table.path)).set_index("object_id")
    lost = [object_id for object_id in data.objects["object_id"] if object_id not in data.images]
    (note,) = [note for note in table.notes if note.code == "not-measured"]

    assert len(lost) == 2
    assert values.loc[lost].filter(like=PREFIX).isna().all(axis=None)
    assert values.loc[lost, "noise"].notna().all()
    assert note.examples == tuple(f"{object_id} (no image)" for object_id in lost)


@pytest.mark.parametrize("features", ["measured", "native+measured"])
def test_tracks_are_skipped_if_images_are_missing(
    make_challenge: Callable[..., Path], tmp_path: Path, features: str
) -> None:
    """A track is not run on another feature table than the requested one."""
    folder = make_challenge(images=False)
    table = pb.run("flowcam", tracks=["majority"], data_dir=folder, out=tmp_path / "out", features=features, seeds=[0])

    assert table[["status", "reason"]].to_numpy().tolist() == [["skipped", "the data set has no images"]]


@pytest.mark.parametrize("features", ["native", "native+measured"])
def test_tracks_are_skipped_if_the_native_table_is_missing(lake: Path, tmp_path: Path, features: str) -> None:
    """Class folders have no native table."""
    table = pb.run(suite_file(lake, features=features), out=tmp_path / "out")

    assert table[["status", "reason"]].to_numpy().tolist() == [["skipped", "the data set has no native table"]]


def test_measurement_settings_come_from_the_manifest(lake: Path) -> None:
    """Background, scale bar and pixel size are part of the identity of the table."""
    table = feature_tables(opened(lake, background="dark", scale_bar=3, pixel_size_um=1.5), [None], Settings())[None]

    assert {key: table.identity[key] for key in ("background", "scale_bar", "pixel_size_um")} == {
        "background": "dark",
        "scale_bar": 3,
        "pixel_size_um": 1.5,
    }


def test_images_are_measured_only_if_a_track_needs_it(challenge: Path, tmp_path: Path) -> None:
    """If there is a native table, it is the default, and nothing is measured."""
    pb.run("flowcam", tracks=["majority"], data_dir=challenge, out=tmp_path / "out", seeds=[0])

    assert not (tmp_path / "out" / "outlines").exists()


@pytest.mark.report
def test_the_report_shows_measured_images_without_data(lake: Path, tmp_path: Path) -> None:
    """Pictures are stored with the results, so the report can be repeated without the images."""
    pb.run(suite_file(lake), out=tmp_path / "out")
    first = (tmp_path / "out" / "report" / "dataset-lake.html").read_bytes()
    lake.rename(tmp_path / "elsewhere")
    write_results(tmp_path / "out")
    page = (tmp_path / "out" / "report" / "dataset-lake.html").read_bytes()

    assert page == first
    assert b"Segmentation" in page
    assert page.count(b'class="card outlines"') == len(SHAPES)


def test_three_folds_of_measured_features(lake: Path, tmp_path: Path) -> None:
    """The option `split` applies to measured features, too."""
    table = pb.run(suite_file(lake), tracks=["forest-native"], out=tmp_path / "out", split="kfold3")

    assert table["split"].tolist() == [f"kfold3.v1-fold{fold}" for fold in range(3)]
    assert (table["macro_f1"] > 0.9).all()


def test_unknown_features_are_rejected(challenge: Path, tmp_path: Path) -> None:
    """The message lists the valid values."""
    with pytest.raises(pb.SuiteError, match=r"features is 'mesured'; expected native, measured or native\+measured"):
        pb.run("flowcam", data_dir=challenge, out=tmp_path / "out", features="mesured")

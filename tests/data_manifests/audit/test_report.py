"""Audit: each kind of fault, inserted into a data set without faults, is found and named; nothing else is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pandas as pd
import pytest
from planktonbench.data_manifests.audit.report import audit
from planktonbench.data_manifests.dataset import Dataset, open_folder
from planktonbench.data_manifests.manifest import manifest_of_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Draw = Callable[..., NDArray[np.uint8]]

NDSB = Path(__file__).resolve().parents[4] / "shared" / "data" / "kaggle-ndsb"
EVEN = {"Copepoda": 40, "detritus": 60, "egg": 30, "Retaria": 20}


def examples_by_code(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """Return the examples of each finding by its code."""
    return {one.code: one.examples for one in audit(dataset).findings}


@pytest.fixture
def measured(make_dataset: Callable[..., Dataset]) -> Dataset:
    """A data set of 150 objects without images, with eight features without faults."""
    dataset = make_dataset(EVEN)
    rng = np.random.default_rng(0)
    codes = pd.factorize(dataset.objects["taxon"])[0]
    columns = {f"f{k}": rng.permutation(4)[codes] + rng.normal(0, 2, len(codes)) for k in range(8)}
    return replace(dataset, native=pd.DataFrame(columns, index=pd.Index(dataset.objects["object_id"])))


def with_columns(dataset: Dataset, **columns: object) -> Dataset:
    """Return a data set with additional features."""
    assert dataset.native is not None
    return replace(dataset, native=dataset.native.assign(**columns))


def test_nothing_is_found_in_a_data_set_without_faults(make_images: Callable[..., Dataset], measured: Dataset) -> None:
    """There are no findings on images or features."""
    assert examples_by_code(make_images()) == {}
    assert examples_by_code(measured) == {}


def test_images_that_cannot_be_used_are_named(make_images: Callable[..., Dataset], draw: Draw) -> None:
    """Each is listed by its member under its fault."""
    grey = draw(1000)
    dataset = make_images(
        {
            "egg/alpha.png": np.dstack([draw(1), draw(1), draw(1), draw(1)]),
            "egg/colour.png": np.dstack([draw(2), draw(2), 255 - draw(2)]),
            "egg/cut.jpg": truncated_jpeg(draw(3)),
            "egg/deep.png": draw(4).astype(np.uint16) * 257,
            "egg/empty.png": b"",
            "egg/flat.png": np.full((30, 30), 7, np.uint8),
            "egg/line.png": grey[:3, :],
            "egg/pixel.png": np.full((1, 1), 9, np.uint8),
            "egg/text.png": b"not a png",
        }
    )
    expected = {
        "image-empty": ("egg/empty.png",),
        "image-truncated": ("egg/cut.jpg",),
        "image-unknown": ("egg/text.png",),
        "flat": ("egg/flat.png", "egg/pixel.png"),
        "thin": ("egg/line.png", "egg/pixel.png"),
        "colour": ("egg/colour.png",),
        "alpha": ("egg/alpha.png",),
        "deep": ("egg/deep.png",),
    }

    assert {code: names for code, names in examples_by_code(dataset).items() if code in expected} == expected


def truncated_jpeg(image: NDArray[np.uint8]) -> bytes:
    """Return the first half of a JPEG."""
    content = bytes(cv2.imencode(".jpg", image)[1].tobytes())
    return content[: len(content) // 2]


def test_copies_are_grouped_by_whether_labels_agree(make_images: Callable[..., Dataset], draw: Draw) -> None:
    """Copies with the same label or different labels, and likewise near duplicates (a brighter image)."""
    one, two, three, four = (draw(1000 + k) for k in range(4))
    dataset = make_images(
        {
            "egg/a1.png": one, "egg/a2.png": one,
            "egg/b1.png": two, "detritus/b2.png": two,
            "egg/c1.png": three, "egg/c2.png": three + np.uint8(20),
            "egg/d1.png": four, "detritus/d2.png": four + np.uint8(20),
        }
    )  # fmt: skip
    findings = examples_by_code(dataset)

    assert findings["copies"] == ("egg/a1.png = egg/a2.png",)
    assert findings["copies-at-odds"] == ("detritus/b2.png = egg/b1.png",)
    assert findings["look-alikes"] == ("egg/c1.png ~ egg/c2.png",)
    assert findings["look-alikes-at-odds"] == ("detritus/d2.png ~ egg/d1.png",)


def test_an_image_without_object_has_no_conflicting_label(make_images: Callable[..., Dataset], draw: Draw) -> None:
    """It has no label that could be wrong; its copies are still reported as copies."""
    same, near = draw(1000), draw(1001)
    dataset = make_images(
        {"egg/a.png": same, "detritus/a.png": same, "egg/b.png": near, "detritus/b.png": near + np.uint8(20)}
    )
    unlabelled = replace(dataset, objects=dataset.objects[dataset.objects["taxon"] != "detritus"])

    assert examples_by_code(unlabelled) == {
        "copies": ("detritus/a.png (no taxon) = egg/a.png",),
        "look-alikes": ("detritus/b.png (no taxon) ~ egg/b.png",),
    }


def test_labels_are_added_to_members_that_do_not_contain_them(make_challenge: Callable[..., Path]) -> None:
    """In the challenge layout, file names are numbers; the taxon is added."""

    def two_rounds(meta: pd.DataFrame) -> pd.DataFrame:
        return meta.assign(objid=[1, 257, *range(2, len(meta))], level2=["egg", "detritus", *meta["level2"][2:]])

    folder = make_challenge(meta=two_rounds, native=lambda native: native.assign(objid=range(1, len(native) + 1)))
    findings = examples_by_code(open_folder(manifest_of_folder("made"), folder))

    assert findings["copies-at-odds"] == ("imgs/1.png (egg) = imgs/257.png (detritus)",)


@pytest.mark.parametrize(("smallest", "codes"), [(2, {"class-too-small"}), (3, {"class-small"}), (20, set())])
def test_classes_that_are_too_small_are_named(
    make_dataset: Callable[..., Dataset], smallest: int, codes: set[str]
) -> None:
    """Fewer than three objects cannot be split; with fewer than twenty, the score is mostly chance."""
    findings = examples_by_code(make_dataset({**EVEN, "Bacteriastrum": smallest}))

    assert findings == dict.fromkeys(codes, (f"Bacteriastrum {smallest}",))


def test_copies_and_samples_across_a_published_split_are_named(make_images: Callable[..., Dataset], draw: Draw) -> None:
    """If the files have a split, it is audited, whatever its spelling."""
    image = draw(1000)
    dataset = make_images({"egg/0.png": image, "egg/1.png": image, "egg/2.png": image + np.uint8(20)})
    place = dataset.objects["object_id"].str.split("/").str[-1].astype(int)
    sets = pd.Series(np.where(place % 2 == 0, " Train", "test"), index=place.index).mask(place == 20, "val")
    samples = pd.Series(np.where(place < 2, "station 1", sets), index=place.index)
    found_audit = audit(replace(dataset, objects=dataset.objects.assign(set=sets, sample=samples)))
    findings = {one.code: one for one in found_audit.findings if one.group == "split"}

    assert found_audit.split == "published.v1"
    assert findings["copies-across"].examples == ("egg/0.png = egg/1.png",)
    assert findings["samples-across"].examples == ("station 1",)
    assert "look-alikes-across" not in findings


def test_near_duplicates_across_the_split_are_named(make_images: Callable[..., Dataset], draw: Draw) -> None:
    """An image and its brighter copy are in different subsets."""
    dataset = make_images({"egg/0.png": draw(1000), "egg/1.png": draw(1000) + np.uint8(20)})
    place = dataset.objects["object_id"].str.split("/").str[-1].astype(int)
    sets = pd.Series(np.where(place % 2 == 0, "train", "test"), index=place.index)
    findings = examples_by_code(replace(dataset, objects=dataset.objects.assign(set=sets)))

    assert findings["look-alikes-across"] == ("egg/0.png ~ egg/1.png",)


def test_without_a_published_split_the_default_hold_out_is_audited(make_dataset: Callable[..., Dataset]) -> None:
    """It is the split that `run` makes with seed 0; samples in several of its subsets are reported."""
    samples = [f"station {k % 3}" for k in range(150)]
    result = audit(make_dataset(EVEN, samples=samples))

    assert result.split == "holdout.v1"
    assert [(one.code, one.count) for one in result.findings] == [("samples-across", 3)]


def test_a_split_that_cannot_be_made_is_a_finding(make_dataset: Callable[..., Dataset]) -> None:
    """A single class cannot be split; the audit continues and gives the reason."""
    result = audit(make_dataset({"egg": 30}))

    assert result.split == ""
    assert [one.code for one in result.findings] == ["no-split"]
    assert "fewer than two taxa" in result.findings[0].advice


def test_useless_features_are_named(measured: Dataset) -> None:
    """Empty, constant, and with missing values, sorted by decreasing share of missing values."""
    assert measured.native is not None
    value = measured.native["f0"].to_numpy()
    hole, holes = value.copy(), value.copy()
    hole[:15], holes[:75] = np.nan, np.nan
    findings = examples_by_code(with_columns(measured, nothing=np.nan, one=1.0, hole=hole, holes=holes))

    assert findings == {"empty": ("nothing",), "constant": ("one",), "missing": ("holes 50.00%", "hole 10.00%")}


def test_features_that_leak_the_label_are_named(measured: Dataset) -> None:
    """The label as a number, and ids assigned class by class."""
    label = pd.factorize(measured.objects["taxon"])[0].astype(float)
    findings = examples_by_code(with_columns(measured, code=label, number=np.arange(150.0)))

    assert set(findings) == {"leak"}
    assert {name.split()[0] for name in findings["leak"]} == {"code", "number"}


def test_the_number_of_processes_changes_nothing(make_images: Callable[..., Dataset], draw: Draw) -> None:
    """One process and two give the same findings."""
    dataset = make_images({"egg/0.png": draw(0), "egg/1.png": b"", "egg/2.png": draw(5) + np.uint8(20)})

    assert audit(dataset, jobs=2).to_json() == audit(dataset, jobs=1).to_json()


def test_all_are_counted_and_the_first_ten_named(make_images: Callable[..., Dataset]) -> None:
    """Of twelve empty images, twelve are counted and ten named, in the order of their names."""
    result = audit(make_images({f"egg/{number}.png": b"" for number in range(12)}))
    empty = next(one for one in result.findings if one.code == "image-empty")

    assert (empty.count, len(empty.examples)) == (12, 10)
    assert str(empty).startswith("empty files: 12. Replace them, or remove their objects.\n    first: egg/0.png, ")


def test_simulated_data_sets_are_marked_as_simulated(make_dataset: Callable[..., Dataset]) -> None:
    """The JSON document has a flag."""
    dataset = make_dataset(EVEN)

    assert audit(replace(dataset, simulated=True)).to_json()["simulated"] is True
    assert audit(dataset).to_json()["simulated"] is False


@pytest.mark.real_data
def test_the_image_of_ndsb_with_two_labels_is_found() -> None:
    """Two of 30,336 images are identical and have two different chaetognath labels; none is damaged."""
    if not NDSB.is_dir():
        pytest.skip(f"the real data are not at {NDSB}")
    result = audit(open_folder(None, NDSB), jobs=2)
    findings = {one.code: one for one in result.findings}
    twins = "train/chaetognath_non_sagitta/14864.jpg = train/chaetognath_other/271.jpg"

    assert result.images is not None
    assert len(result.images) == 30_336
    assert set(result.images["status"]) == {"ok"}
    assert findings["copies-at-odds"].examples == (twins,)
    assert "copies" not in findings


@pytest.mark.real_data
def test_station_40_has_no_feature_that_leaks_the_label(station40: Path) -> None:
    """A real table gives no false alarm; its other findings are known."""
    codes = [one.code for one in audit(open_folder(None, station40)).findings]

    assert codes == ["colour", "look-alikes", "class-too-small", "class-small", "look-alikes-across", "constant"]

"""Tests of the manifest schema and of the shipped manifests."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from planktonbench.data_manifests.errors import ManifestError
from planktonbench.data_manifests.manifest import (
    Background,
    Manifest,
    load_manifest,
    manifest_names,
    manifest_of_folder,
)

COUNTS = Path(__file__).resolve().parents[3] / "shared" / "field" / "flowcam-class-counts.tsv"
TAXONOMY = COUNTS.parent / "taxonomy"
LINES = {
    "name": "name: pond",
    "title": "title: A pond",
    "instrument": "instrument: FlowCam",
    "source": "source: us",
    "citation": "citation: We (2020)",
    "licence": "licence: CC0",
    "background": "background: light",
    "classes": "classes: {egg: 2, Copepoda: null}",
}


def write_manifest(folder: Path, file_name: str = "pond.yaml", **lines: str) -> str:
    """Write a manifest with changed lines and return its path."""
    path = folder / file_name
    path.write_text("\n".join({**LINES, **lines}.values()), "utf-8")
    return str(path)


def test_shipped_manifests_are_named_after_their_files() -> None:
    """The name in each file equals the file name, and flowcam is one of them."""
    assert "flowcam" in manifest_names()
    assert manifest_names() == [load_manifest(name).name for name in manifest_names()]


def test_flowcam_has_the_published_counts() -> None:
    """The 39 taxa and their counts are those of the publication, with a total of 242,607 objects."""
    classes = load_manifest("flowcam").classes

    assert (len(classes), sum(count or 0 for count in classes.values())) == (39, 242607)
    if not COUNTS.is_file():
        pytest.skip(f"the published counts are not at {COUNTS}")
    with COUNTS.open(encoding="utf-8", newline="") as file:
        assert {row["level2"]: int(row["n"]) for row in csv.DictReader(file, delimiter="\t")} == classes


@pytest.mark.parametrize("name", manifest_names())
def test_shipped_manifests_are_complete(name: str) -> None:
    """Each has classes, number of objects, known faults, and a statement of what was not tried."""
    manifest = load_manifest(name)

    assert manifest.not_tried
    assert "not tried" in manifest.not_tried or "could be opened" in manifest.not_tried
    assert manifest.objects
    assert manifest.classes
    assert manifest.known_faults
    assert not manifest.taxonomy or set(manifest.taxonomy) == set(manifest.classes)
    assert all(str(download.url).startswith("https://") for download in manifest.downloads)


@pytest.mark.parametrize(
    ("name", "classes", "objects", "layout"),
    [
        ("flowcamnet", 93, 301247, "seanoe"),
        ("zooscannet", 120, 1451745, "seanoe"),
        ("isiisnet", 32, 408166, "seanoe"),
        ("uvp6net", 54, 634459, "seanoe"),
        ("zoocamnet", 93, 1286590, "seanoe"),
        ("ndsb", 121, 30336, "class-folders"),
        ("whoi-plankton", 103, 3563595, "class-folders"),
    ],
)
def test_shipped_manifests_have_the_published_sizes(name: str, classes: int, objects: int, layout: str) -> None:
    """Numbers of classes are from the reference benchmark and label tables, numbers of objects from the web pages."""
    manifest = load_manifest(name)
    counts = [count for count in manifest.classes.values() if count is not None]

    assert (len(manifest.classes), manifest.objects, manifest.layout) == (classes, objects, layout)
    assert not counts or (len(counts), sum(counts)) == (classes, objects)


@pytest.mark.parametrize("name", ["flowcam", "zooscan", "isiis", "uvp6", "zoocam"])
def test_taxonomy_equals_the_published_table(name: str) -> None:
    """Lineage, group and plankton flag are those of the reference benchmark."""
    path = TAXONOMY / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"the published taxonomy is not at {path}")
    with path.open(encoding="utf-8", newline="") as file:
        rows = {(row["lineage"], row["level2"], row["plankton"] == "TRUE") for row in csv.DictReader(file)}
    taxonomy = load_manifest(f"{name}net").taxonomy

    assert {(record.lineage, record.group, record.plankton) for record in taxonomy.values()} <= rows
    assert len(taxonomy) >= len(rows) - 1  # UVP6Net has no Cnidaria


def test_the_protocol_of_source_003_has_the_published_numbers() -> None:
    """38 classes with 50 images or more, 26,612 images in total, five folds; the classes are documented as unknown."""
    protocol = load_manifest("whoi-plankton").protocols["source003-38"]

    assert (protocol.n_classes, protocol.objects, protocol.fewest_objects, protocol.folds) == (38, 26612, 50, 5)
    assert protocol.classes is None
    assert "Which 38 classes" in str(protocol.not_told)


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_user_supplied_manifests_are_loaded_by_path(tmp_path: Path, suffix: str) -> None:
    """Omitted fields have defaults."""
    manifest = load_manifest(write_manifest(tmp_path, f"pond{suffix}"))

    assert manifest.classes == {"egg": 2, "Copepoda": None}
    assert (manifest.grouping, manifest.never_features, manifest.layout, manifest.doi) == ((), (), None, None)


@pytest.mark.parametrize(
    ("name", "words"),
    [("flowcan", "Did you mean flowcam or flowcamnet?"), ("zzz", "Known: "), ("none.yaml", "none.yaml cannot be")],
)
def test_unknown_names_are_reported(name: str, words: str) -> None:
    """The error contains the name, and near matches or all known names; a missing file is also named."""
    with pytest.raises(ManifestError) as caught:
        load_manifest(name)

    assert name in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("field", "line", "words"),
    [
        ("name", "name: A pond", "field 'name' is 'A pond'"),
        ("background", "background: bright", "field 'background' is 'bright': Input should be 'light' or 'dark'"),
        ("citation", "", "field 'citation' is missing"),
        ("licence", "license: CC0", "field 'license' is unknown. Did you mean licence?"),
        ("classes", "classes: {egg: -1}", "field 'classes.egg' is -1"),
        ("classes", "classes: {egg cell: 1, Egg  Cell: 2}", "'egg cell' and 'Egg  Cell' differ only in case or spaces"),
        ("layout", "layout: 7", "field 'layout' is 7: Input should be a valid string"),
        ("checksums", "checksums: {meta.csv: abc}", "field 'checksums.meta.csv' is 'abc'"),
        ("grouping", "grouping: projid", "field 'grouping' is 'projid'"),
        ("doi", "doi: doi.org/1", "field 'doi' is 'doi.org/1'"),
        ("url", "url: ftp://pond", "field 'url' is 'ftp://pond'"),
        ("known_faults", "known_faults: [{fault: f}]", "field 'known_faults.0.rule' is missing"),
        ("taxonomy", "taxonomy: {eg: {plankton: true}}", "taxonomy contains names that are not classes: eg"),
        ("taxonomy", "taxonomy: {egg: {level2: x}}", "field 'taxonomy.egg.level2' is unknown"),
        (
            "protocols",
            "protocols: {p: {citation: c, classes: [eg]}}",
            "protocols.p.classes contains names that are not",
        ),
        ("protocols", "protocols: {A b: {citation: c}}", "field 'protocols.A b"),
        ("downloads", "downloads: [{url: ftp://pond}]", "field 'downloads.0.url' is 'ftp://pond'"),
    ],
)
def test_manifest_errors_name_file_field_and_value(tmp_path: Path, field: str, line: str, words: str) -> None:
    """The message begins with the path and states the field, its value and the expected value."""
    path = write_manifest(tmp_path, **{field: line})
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)

    assert str(caught.value).startswith(path)
    assert words in str(caught.value)


def test_the_hash_depends_on_content_only(tmp_path: Path) -> None:
    """Key order, formatting, comments and explicit defaults do not change the hash; other values do."""
    manifest = load_manifest(write_manifest(tmp_path))
    backwards = tmp_path / "backwards.yaml"
    lines = {**LINES, "classes": "classes: {Copepoda: null, egg: 2}", "grouping": "grouping: []", "doi": "doi: null"}
    backwards.write_text("# the same\n" + "\n\n".join(reversed(lines.values())), "utf-8")
    changes = [{"classes": "classes: {egg: 3, Copepoda: null}"}, {"background": "background: dark"}]
    changed = {load_manifest(write_manifest(tmp_path, **change)).sha256 for change in changes}

    assert manifest.sha256 == load_manifest(str(backwards)).sha256
    assert len({manifest.sha256, *changed}) == 3


@pytest.mark.parametrize("background", ["light", "dark"])
def test_the_minimal_manifest_of_a_folder(background: Background) -> None:
    """It has no classes, no sample column and the given background, and it is valid."""
    manifest = manifest_of_folder("pond", background)

    assert ("pond", background, {}, ()) == (manifest.name, manifest.background, manifest.classes, manifest.grouping)
    assert Manifest.model_validate(manifest.model_dump(mode="json")) == manifest

"""Data sets of a suite: their files are found and read, once for all entries that share them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...data_manifests.dataset import find_folder, local_folder, open_folder
from ...data_manifests.errors import SuiteError, listed
from ...data_manifests.manifest import Manifest, load_manifest, manifest_of_folder
from ...data_manifests.simulation.sample import SAMPLE_OBJECTS, has_sample, simulated_sample
from ...data_manifests.user_folders.identity import folder_manifest
from ..console.progress import counting

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ..execution.settings import Settings
    from ..suites.suite import DatasetEntry


def open_datasets(entries: Sequence[DatasetEntry], settings: Settings) -> list[Dataset]:
    """Open the data sets of a suite, in order, each with the classes that its entry selects and withholds.

    Args:
        entries: the entries of the suite. Files that several of them use are read once.
        settings: settings of the run; `name` and `citation` are those of the only entry.

    Raises:
        DataError, ManifestError: there are no files or no manifest, or they cannot be read.
        SuiteError: a class is unknown, too few remain, or two data sets have the same name.

    """
    alone = len({entry.manifest_name for entry in entries if entry.path is None}) == 1
    sources = {entry.source: entry for entry in entries}
    found = {source: _find(entry, settings, alone=alone) for source, entry in sources.items()}
    opened = {source: _open(*files, settings) for source, files in found.items()}
    datasets = [_of_entry(opened[entry.source], entry, settings) for entry in entries]
    _check_unique_names(datasets)
    return datasets


def _find(entry: DatasetEntry, settings: Settings, *, alone: bool) -> tuple[Manifest, Path]:
    """Find the files of a data set; if there are none, use the simulated sample, if it has one, and log it."""
    name, folder = entry.manifest_name, entry.path or settings.data_dir
    if folder is not None or not has_sample(name) or local_folder(name):
        return find_entry(entry, settings.data_dir, alone=alone)
    settings.progress.log(
        f"{name}: no data files found; using a SIMULATED sample of {SAMPLE_OBJECTS:,} objects. "
        "These are not results on real plankton. Use --data DIR to run on your files."
    )
    from ...features.measured.challenge import CHALLENGE_TABLE

    with counting("drawing the simulated sample", SAMPLE_OBJECTS, "objects") as advance:
        folder = simulated_sample(name, CHALLENGE_TABLE, advance)
    return load_manifest(name), folder


def find_entry(entry: DatasetEntry, data_dir: Path | None, *, alone: bool) -> tuple[Manifest, Path]:
    """Find the files of a data set: its own path, else `data_dir` (its subfolder `<manifest>` with several manifests).

    A manifest in the folder takes precedence over the named one. An entry with a path and without a manifest has its
    own name and properties.

    Args:
        entry: the entry of the suite.
        data_dir: folder given on the command line; None searches in the usual places.
        alone: whether all entries without a path have the same manifest.

    Raises:
        DataError, ManifestError: there are no files or no manifest.

    """
    if entry.path is not None and entry.manifest is None:
        own = folder_manifest(entry.path) or manifest_of_folder(entry.name)
        return own.model_copy(update=entry.properties), entry.path
    manifest = load_manifest(entry.manifest_name)
    if data_dir is not None and (not alone or (data_dir / manifest.name).is_dir()):
        data_dir = data_dir / manifest.name
    folder = entry.path or find_folder(manifest.name, data_dir)
    return folder_manifest(folder) or manifest, folder


def _open(manifest: Manifest, folder: Path, settings: Settings) -> Dataset:
    """Open a data set, and log its contents and notes."""
    progress = settings.progress
    progress.log(f"{manifest.name}: reading {folder}")
    dataset = open_folder(manifest, folder)
    requested, dataset = dataset.requested, dataset.named(settings.name, settings.citation)
    if dataset.requested:
        unknown = sorted(set(dataset.classes) - set(manifest.classes))
        progress.log(
            f"{len(unknown):,} of this folder's {len(dataset.classes):,} taxa do not occur in manifest '{requested}' "
            f"({listed(unknown, 5)}), so this is another data set, named '{dataset.name}' and scored on its own taxa. "
            f"{f'It is cited as: {dataset.reference}' if dataset.reference else 'No citation is known.'} Change this "
            "with --name and --citation, or with a manifest: planktonbench data init DIR."
        )
    features = 0 if dataset.native is None else dataset.native.shape[1]
    images = 0 if dataset.images is None else len(dataset.images)
    kind = "simulated objects" if dataset.simulated else "objects"
    progress.log(
        f"{dataset.name}: {len(dataset):,} {kind}, {len(dataset.classes)} taxa, {features} native features, "
        f"{images:,} images"
    )
    for entry in dataset.notes:
        progress.log(f"  note: {entry}")
    return dataset


def _of_entry(dataset: Dataset, entry: DatasetEntry, settings: Settings) -> Dataset:
    """Return an opened data set under the name of an entry with the classes that it selects, and log these."""
    label = entry.label if settings.name is None else ""
    chosen = replace(dataset, label=label).select(entry.selection)
    if chosen.selected is not None:
        settings.progress.log(
            f"{chosen.name}: {len(chosen):,} objects of {len(chosen.classes):,} of the {chosen.selected.of:,} taxa are "
            "used"
        )
    if chosen.withheld:
        settings.progress.log(f"{chosen.name}: withheld from training and validation: {listed(chosen.withheld)}")
    return chosen


def _check_unique_names(datasets: Sequence[Dataset]) -> None:
    """Check that data sets have different names, since folders without a fitting manifest have that of the folder.

    Raises:
        SuiteError: two have the same name.

    """
    names = [dataset.name for dataset in datasets]
    twice = [str(dataset.folder) for dataset in datasets if names.count(dataset.name) > 1]
    if twice:
        message = f"Data sets with the same name: {listed(twice)}. Rename a folder, or give it a name in the suite."
        raise SuiteError(message)

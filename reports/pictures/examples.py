"""Example images of a report: small copies stored with the results, so that the report can be rebuilt without data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..results.confused_pairs import confused_pairs
from .kept_pictures import ImageCopies, evenly

if TYPE_CHECKING:
    from pathlib import Path

    from ...data_manifests.dataset import Dataset
    from ..results.section import Section

EXAMPLES = "examples"
PER_CLASS, PER_CONFUSION = 4, 4
LARGEST_SIDE = 112  # pixels


def examples_of(out: Path, dataset: str) -> ImageCopies:
    """Return the example images stored in a results folder for a data set."""
    return ImageCopies(out / EXAMPLES / f"{dataset}.parquet", LARGEST_SIDE)


def keep_examples(out: Path, sections: list[Section], dataset: Dataset) -> None:
    """Store small copies of the images of a data set that the report shows; none if it has no images.

    Args:
        out: the results folder.
        sections: sections of this and other data sets.
        dataset: the opened data set.

    """
    sections = [section for section in sections if section.dataset == dataset.name]
    examples_of(out, dataset.name).keep(dataset, {one for section in sections for one in shown_objects(section)})


def shown_objects(section: Section) -> list[str]:
    """Return the ids of all objects shown for a section: some of each class and of the best track's confusions."""
    ids = [object_id for examples in class_examples(section).values() for object_id in examples]
    for pair in confused_pairs(section.done[0]) if section.done else []:
        for way in pair.ways:
            ids += way.object_ids[:PER_CONFUSION]
    return ids


def class_examples(section: Section) -> dict[str, list[str]]:
    """Return a few training objects of each class in the first run, evenly spaced over its rows, largest class first.

    For a class without training objects, others of its objects are returned.
    """
    truth = section.runs[0].truth
    examples = {}
    for taxon in section.class_sizes.index:
        rows = truth[truth["taxon"] == taxon]
        training = rows[rows["part"] == "train"]
        ids = (training if len(training) else rows)["object_id"].to_numpy()
        examples[str(taxon)] = [str(ids[position]) for position in evenly(len(ids), PER_CLASS)]
    return examples

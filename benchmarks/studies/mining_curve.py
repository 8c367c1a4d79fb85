"""Recall of example mining with a simulated annotator: `tox -e bench-mining -- --data DIR`.

Classes are hidden among the images of a labelled data set. From 1, 5 or 20 examples, each method suggests 100 images; a
simulated annotator answers correctly, and images are ranked again after every ten answers. The first table has the
recall of classes hidden among all other images, the second that of classes hidden in the class that is most similar to
them, as if they had been labelled as this more general class.

Without `--data`, objects are simulated. With `--model RUN`, images are embedded by the network of a kept run; the
hidden classes are those that it has not seen in training (withheld ones), with all their objects, among its test
objects.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.dataset import load
from ...reports.scoring.estimate import DIFFERENCES, SCORES, Estimate
from ..console.output import print_table, write_message
from ..console.progress import counting
from .mining_objects import embedded_objects, hidden_classes, simulated
from .simulated_annotator import EXAMPLES, IMPRINTING, METHODS, SUGGESTIONS, WITH_KNOWN_CLASSES, Pool, recall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .mining_objects import EmbeddedObjects
    from .simulated_annotator import SuggestionMethod

    Recalls = dict[str, NDArray[np.float64]]


def recalls(
    pool: Pool, is_hidden: NDArray[np.bool_], methods: Mapping[str, SuggestionMethod], seeds: Sequence[int]
) -> Recalls:
    """Return the recall of each method, float64 of shape (n_seeds, n_numbers), for each number of `EXAMPLES`.

    All methods start with the same examples, drawn anew for each seed and number.

    Args:
        pool: the images.
        is_hidden: whether each image is of the hidden class, bool of shape (n_images,).
        methods: methods by name.
        seeds: seeds of the draws.

    """
    found: Recalls = {name: np.empty((len(seeds), len(EXAMPLES))) for name in methods}
    hidden = np.flatnonzero(is_hidden)
    for row, seed in enumerate(seeds):
        for column, count in enumerate(EXAMPLES):
            examples = np.random.default_rng([seed, count]).choice(hidden, count, replace=False)
            for name, method in methods.items():
                rng = np.random.default_rng([seed, count, 1])
                found[name][row, column] = recall(method, pool, is_hidden, examples, rng)
    return found


def table(by_class: Sequence[Recalls], limit: Sequence[float]) -> list[tuple[str, ...]]:
    """Return the rows of a table: mean recall over classes with its 95 % interval, and the difference from imprinting.

    Classes are the units of the intervals; of each class, the mean over seeds counts.

    Args:
        by_class: recalls of each hidden class.
        limit: largest possible mean recall for each number of `EXAMPLES`.

    """
    means = {name: np.stack([one[name].mean(axis=0) for one in by_class]) for name in by_class[0]}
    rows = []
    for name, values in means.items():
        cells = [_in_words(values[:, column], SCORES) for column in range(len(EXAMPLES))]
        paired = "" if name == IMPRINTING else _in_words((values - means[IMPRINTING]).mean(axis=1), DIFFERENCES)
        rows.append((name, *cells, paired))
    return [*rows, ("largest possible", *(f"{one:.3f}" for one in limit), "")]


def _in_words(values: NDArray[np.float64], limits: tuple[float, float]) -> str:
    """Return the mean over classes with its interval; the mean alone for a single class."""
    mean = float(values.mean())
    if len(values) == 1:
        return f"{mean:.3f}"
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    low, high = Estimate(mean, error, len(values), limits=limits).interval
    return f"{mean:.3f} ({low:.3f} to {high:.3f})"


def largest_possible(sizes: Sequence[int]) -> list[float]:
    """Return the largest possible mean recall for each number of `EXAMPLES`, for classes of these sizes."""
    return [float(np.mean([min(1.0, SUGGESTIONS / (size - count)) for size in sizes])) for count in EXAMPLES]


def among_all(objects: EmbeddedObjects, hidden: Sequence[str], seeds: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the table of classes hidden among all other images."""
    known = objects.embedder.known
    methods = METHODS if known is None else {**METHODS, **WITH_KNOWN_CLASSES}
    pool = Pool.of(objects.embeddings, known)
    found = []
    with counting("hiding classes among all images", len(hidden), "classes") as advance:
        for taxon in hidden:
            found.append(recalls(pool, objects.taxa == taxon, methods, seeds))
            advance(1)
    return table(found, largest_possible([int((objects.taxa == taxon).sum()) for taxon in hidden]))


def in_similar_class(
    objects: EmbeddedObjects, hidden: Sequence[str], seeds: Sequence[int]
) -> tuple[list[tuple[str, ...]], list[tuple[str, str]]]:
    """Return the table of classes hidden in a more general one, and the pairs of classes."""
    pairs = [(taxon, host) for taxon in hidden if (host := objects.most_similar(taxon)) is not None]
    found, sizes = [], []
    with counting("hiding classes in similar ones", len(pairs), "classes") as advance:
        for taxon, host in pairs:
            rows = np.isin(objects.taxa.astype(str), [taxon, host])
            found.append(recalls(Pool.of(objects.embeddings[rows]), objects.taxa[rows] == taxon, METHODS, seeds))
            sizes.append(int((objects.taxa == taxon).sum()))
            advance(1)
    return (table(found, largest_possible(sizes)) if found else []), pairs


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="labelled data set with images (default: simulated objects)")
    parser.add_argument(
        "--model", type=Path, help="folder of a kept run (default: EfficientNet-Lite0, ImageNet weights)"
    )
    parser.add_argument("--classes", help="classes to hide, separated by commas (default: drawn at random)")
    parser.add_argument("--most", type=int, default=30, help="most classes drawn (default: %(default)s)")
    parser.add_argument(
        "--seeds", type=int, default=5, help="draws of the examples of each class (default: %(default)s)"
    )
    parser.add_argument("--side", type=int, help="side of the images in pixels without --model (default: 128)")
    parser.add_argument("--objects", type=int, help="most objects, drawn at random (default: all)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = load(options.data or simulated(Path(folder)))
        objects = embedded_objects(dataset, options.model, side=options.side, most=options.objects)
    hidden = hidden_classes(objects, options.classes, options.most)
    write_message(f"classes: {', '.join(hidden)}")
    seeds = range(options.seeds)
    header = [f"{count} example{'s' if count > 1 else ''}" for count in EXAMPLES]
    difference = f"mean difference from {IMPRINTING}"
    what = f"{len(objects.taxa):,} {'simulated ' if dataset.simulated else ''}objects of {dataset.name}"
    sys.stdout.write(
        f"{what}, {objects.embedder.name}, {objects.embedder.form.description}; {len(hidden)} classes, "
        f"{len(seeds)} draws; recall among the first {SUGGESTIONS} suggestions with 95 % interval over classes\n\n"
    )
    print_table(("hidden among all images", *header, difference), among_all(objects, hidden, seeds))
    rows, pairs = in_similar_class(objects, hidden, seeds)
    if rows:
        sys.stdout.write("\n")
        print_table((f"{len(pairs)} classes hidden in a similar one", *header, difference), rows)
        sys.stdout.write("\n" + "; ".join(f"{taxon} in {host}" for taxon, host in pairs) + "\n")


if __name__ == "__main__":
    main()

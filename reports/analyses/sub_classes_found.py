"""Sub-classes that the clustering found: numbers by epoch, and images, as in figure 2 of Venkataramanan et al. 2021."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..figures.sub_classes import subclasses_per_epoch
from ..results.section import tracks_by_method
from .analysis import Analysis, PictureGroup, PictureStrip
from .sub_classes import states_subclasses, subclasses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.figure import Figure

    from ..results.section import Section
    from ..results.stored_run import StoredRun

METHODS = ("subclass-triplet", "subclass-only", "gs-trs")
"""Methods that divide classes, the one whose images are shown first."""
PER_EPOCH = "subclasses_per_epoch"  # of the chosen options in a card
MOST_CLASSES, PER_SUBCLASS = 8, 6  # shown


class SubClassesFound(Analysis):
    """Number of sub-classes by epoch, and images of the sub-classes of some classes."""

    figure = "sub-classes-found"
    anchor = "sub-classes-found"
    title = "Sub-classes found"
    description = (
        "Training objects of the classes that one run divided into most sub-classes; of classes with as many, the "
        "largest come first. Sub-classes are clusters of embeddings, so that the objects of each should look alike, "
        "and differ from those of the others. The figure shows the number of sub-classes of all classes in each "
        "epoch of training, one line for each run."
    )

    def applies(self, section: Section) -> bool:
        """Return whether a run of a section divided a class."""
        return any(max(subclasses_of(run).values(), default=1) > 1 for run in section.runs if states_subclasses(run))

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:  # noqa: ARG002 - there is no table
        """Draw the number of sub-classes in each epoch, for tracks that divided a class."""
        numbers = {track.name: [*map(_per_epoch, track.runs)] for track in section.done}
        known = {name: [one for one in runs if one] for name, runs in numbers.items()}
        divided = {name: runs for name, runs in known.items() if any(len(set(one)) > 1 for one in runs)}
        return subclasses_per_epoch(divided) if divided else None

    def remarks(self, section: Section, rows: pd.DataFrame) -> list[str]:  # noqa: ARG002 - there is no table
        """Return how many classes the run divided whose images are shown."""
        run = next(_with_subclasses(section), None)
        if run is None:
            return ["No run stored the sub-classes of its training objects, so that there are no images."]
        numbers = subclasses_of(run)
        divided = [number for number in numbers.values() if number > 1]
        if not divided:
            return []
        counts = f"{len(divided):,} of {len(numbers):,} classes are divided, into {min(divided)} to {max(divided)}"
        return [f"{run.card.label}: {counts} sub-classes, {sum(numbers.values()):,} in all."]

    def picture_groups(self, section: Section) -> list[PictureGroup]:
        """Return images of the sub-classes of the classes that one run divided most."""
        run = next(_with_subclasses(section), None)
        if run is None or run.subclasses is None:
            return []
        table = run.subclasses.sort_values("object_id")
        classes = table.groupby("taxon")["subclass"].agg(["nunique", "size"])
        divided = classes[classes["nunique"] > 1].sort_values(["nunique", "size"], ascending=False, kind="stable")
        return [_pictures(str(taxon), table[table["taxon"] == taxon]) for taxon in divided.index[:MOST_CLASSES]]


def _per_epoch(run: StoredRun) -> list[int]:
    if run.card.status != "done":
        return []
    return list((run.card.track.chosen or {}).get(PER_EPOCH, []))


def _with_subclasses(section: Section) -> Iterator[StoredRun]:
    """Yield the finished runs that stored sub-classes, those of the paper's method first."""
    tracks = [*tracks_by_method(section, METHODS).values(), *section.done]
    for track in tracks:
        yield from (run for run in track.runs if run.card.status == "done" and run.subclasses is not None)


def _pictures(taxon: str, rows: pd.DataFrame) -> PictureGroup:
    """Return the images of a class: some of each sub-class, evenly spaced over its objects, the largest first."""
    sizes = rows["subclass"].value_counts()
    strips = []
    for number, (subclass, size) in enumerate(sizes.items(), 1):
        ids = rows.loc[rows["subclass"] == subclass, "object_id"]
        step = max(1, size // PER_SUBCLASS)
        strips.append(PictureStrip(f"sub-class {number}: {size:,} objects", tuple(ids[::step][:PER_SUBCLASS])))
    return PictureGroup(f"{taxon}: {len(rows):,} training objects", tuple(strips))

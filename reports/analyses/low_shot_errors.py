"""Base classes predicted as low-shot classes, with images, as in figures 5 and 6 of Schröder et al. 2018."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..figures.low_shot import confusion_of_groups
from ..results.class_groups import pooled_groups, stated_groups
from ..results.confused_pairs import frequent_confusions
from ..results.section import tracks_by_method
from .analysis import Analysis, PictureGroup, PictureStrip

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ..results.class_groups import ClassGroups
    from ..results.confused_pairs import Confusion
    from ..results.section import Section, TrackResult

METHOD = "imprint-mi"  # of the paper's figures
MOST_ERRORS = 4  # as in figure 5
CONFUSED, EXAMPLES = 2, 1  # images of each error


class BaseAsLowShot(Analysis):
    """Confusion matrix of one track with the border between low-shot and base classes, and its most frequent errors."""

    figure = "low-shot-errors"
    anchor = "low-shot-errors"
    title = "Base classes predicted as low-shot classes"
    description = (
        "Low-shot classes draw off objects from base classes that look like them. In the confusion matrix, classes are "
        "sorted by number of training objects, each row is a share of the test objects of all runs, and the red lines "
        "separate low-shot classes (top, left) from base classes. The most frequent errors of this kind are numbered; "
        "each is shown with a training object of either class and two of the confused test objects. Such objects may "
        "also have been labelled before the smaller class was introduced."
    )

    def applies(self, section: Section) -> bool:
        """Return whether a track of a section predicts base classes as low-shot classes."""
        return _shown(section) is not None

    def draw(self, section: Section, rows: pd.DataFrame) -> Figure | None:  # noqa: ARG002 - there is no table
        """Draw the confusion matrix with the border and the numbered errors."""
        shown = _shown(section)
        if shown is None:
            return None
        track, groups, errors = shown
        return confusion_of_groups(track.confusion, section.training_sizes, groups, errors)

    def remarks(self, section: Section, rows: pd.DataFrame) -> list[str]:  # noqa: ARG002 - there is no table
        """Return whose errors these are, and how many there are."""
        shown = _shown(section)
        if shown is None:
            return []
        track, groups, _ = shown
        of_base = track.confusion.loc[track.confusion.index.isin(list(groups.base))]
        n = int(of_base.loc[:, of_base.columns.isin(list(groups.low_shot))].to_numpy().sum())
        total = int(of_base.to_numpy().sum())
        return [f"{track.name} predicts {n:,} of {total:,} test objects of base classes as low-shot classes."]

    def picture_groups(self, section: Section) -> list[PictureGroup]:
        """Return images of each numbered error: both classes, and confused objects."""
        shown = _shown(section)
        if shown is None:
            return []
        return [_pictures(section, number, error) for number, error in enumerate(shown[2], 1)]


def _shown(section: Section) -> tuple[TrackResult, ClassGroups, list[Confusion]] | None:
    """Return a track with its groups and most frequent errors: mean imprinting, or else the best with base classes."""
    groups = pooled_groups(section)
    own = [track for track in section.done if any(stated_groups(run) is not None for run in track.runs)]
    for track in [*tracks_by_method(section, [METHOD]).values(), *own]:
        errors = frequent_confusions(track, groups.base, groups.low_shot, MOST_ERRORS) if groups else []
        if groups and errors:
            return track, groups, errors
    return None


def _pictures(section: Section, number: int, error: Confusion) -> PictureGroup:
    truth = section.runs[0].truth
    training = truth[truth["part"] == "train"]

    def examples(taxon: str) -> tuple[str, ...]:
        ids = sorted(training.loc[training["taxon"] == taxon, "object_id"])
        middle = len(ids) // 2
        return tuple(ids[middle : middle + EXAMPLES])

    share = f"{100 * error.share:.0f} % of its test objects"
    return PictureGroup(
        f"{number}: {error.truth} predicted as {error.predicted} ({error.count:,} objects, {share})",
        (
            PictureStrip(f"base class: {error.truth}", examples(error.truth)),
            PictureStrip(f"low-shot class: {error.predicted}", examples(error.predicted)),
            PictureStrip("confused objects", error.object_ids[:CONFUSED]),
        ),
    )

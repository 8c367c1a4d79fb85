"""Job: one run of a track, as the message that its worker receives."""

from __future__ import annotations

import base64
from functools import cached_property
from pathlib import Path  # noqa: TC003 - pydantic needs it
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from ...models.protocol.checks import check_track
from ...models.registry import get_track
from ...reports.run_files.card import Card  # noqa: TC001 - pydantic needs it
from ...reports.run_files.run_folder import run_folder

if TYPE_CHECKING:
    from ...models.protocol.track import Track


MESSAGE = ConfigDict(extra="forbid", frozen=True)


class TrackSource(BaseModel):
    """Source from which a worker loads the class of a track.

    Attributes:
        reference: registered name or `path.py:Class`; empty if the class is pickled.
        pickled: the class pickled by value, in base64, if it cannot be imported (from a notebook); else empty.

    """

    model_config = MESSAGE

    reference: str = ""
    pickled: str = ""

    def load(self) -> type[Track]:
        """Import or unpickle the class.

        Raises:
            TrackError: the track is unknown, or breaks the protocol.

        """
        if self.reference:
            return get_track(self.reference)
        import cloudpickle

        track = cloudpickle.loads(base64.b64decode(self.pickled))  # from our own parent or client, never from a file
        return check_track(track, repr(track))


class Job(BaseModel):
    """One run to be done, and everything that its worker needs.

    Attributes:
        out: the results folder.
        draft: the facts of its card that are known before the run.
        track: source of the class of its track.
        base_runs: sources of the tracks of its base runs, by their names.
        truth: file with the subset and taxon of each object.
        native: file with the feature table; None if the track uses none.
        images: address of the images; empty if there are none.
        network_images: address of the network images; empty if the track uses none.
        force: whether a finished run is repeated.

    """

    model_config = MESSAGE

    out: Path
    draft: Card
    track: TrackSource
    base_runs: dict[str, TrackSource] = {}
    truth: Path
    native: Path | None = None
    images: str = ""
    network_images: str = ""
    force: bool = False

    @cached_property
    def folder(self) -> Path:
        """Folder of the run."""
        return run_folder(self.out, self.draft)

    @cached_property
    def base_folders(self) -> dict[str, Path]:
        """Folders of its base runs, by their names."""
        return {name: run_folder(self.out, self.draft.changed(track=name)) for name in self.base_runs}

    @property
    def key(self) -> str:
        """Unique name of the job."""
        return str(self.folder)

    @property
    def inputs(self) -> frozenset[str]:
        """Keys of the jobs that must finish first."""
        return frozenset(map(str, self.base_folders.values()))

    @property
    def label(self) -> str:
        """Data set, track, split and seed as text."""
        draft = self.draft
        return f"{draft.data.name} · {draft.track.name} · {draft.split.name} · seed {draft.split.seed}"

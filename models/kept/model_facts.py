"""Facts about a kept model, from which it is opened without the suite that trained it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ...data_manifests.errors import DataError, listed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL, FACTS = "model", "track.json"
"""Folder of the model in a run folder, and the file with its facts in it."""
DEPTHS = range(1, 6)
"""Depths at which runs lie in a results folder or one inside it: runs/<data set>/<track>/<split>/<seed>."""


class ModelFacts(BaseModel):
    """Facts about a kept model, stored beside the files of its track.

    Attributes:
        format: version of this file.
        name: name of the run.
        reference: registered name or `path.py:Class` of the track; empty if its class was defined in a notebook.
        options: options of the track.
        classes: class names in the order of the score columns.
        columns: names of the columns of the feature table; empty if the track uses none.
        features: how the feature table was made, as in the card; empty if the track uses none.
        image_form: fields of the form of the network images; None if the track uses none.
        image_source: fields of how the images of the run were taken; None if the track uses none.

    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    name: str
    reference: str
    options: dict[str, Any]
    classes: tuple[str, ...]
    columns: tuple[str, ...] = ()
    features: dict[str, Any] = {}
    image_form: dict[str, Any] | None = None
    image_source: dict[str, Any] | None = None

    def write(self, folder: Path) -> None:
        """Write the facts into the folder of a model."""
        (folder / FACTS).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> ModelFacts:
        """Read the facts in the folder of a model.

        Raises:
            DataError: there are none, or of another version.

        """
        path = folder / FACTS
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as fault:
            message = (
                f"{folder.parent} has no kept model ({fault.strerror}: {path}); expected the folder of a run that was "
                f"made with --keep-models. {_advice(folder.parent)}"
            )
            raise DataError(message) from fault
        except ValidationError as fault:
            reasons = "; ".join(f"{'.'.join(map(str, one['loc']))} {one['msg']}" for one in fault.errors())
            message = f"{path} does not describe a model ({reasons}). Repeat its run with --keep-models."
            raise DataError(message) from fault


def _advice(folder: Path) -> str:
    """Return what to do about a folder that is no kept run: a results folder, one inside it, or something else."""
    kept = [path.parent.parent for depth in DEPTHS for path in sorted(folder.glob(f"{'*/' * depth}{MODEL}/{FACTS}"))]
    if folder.name == MODEL and (folder / FACTS).is_file():
        kept = [folder.parent]
    if kept:
        return f"Runs with a kept model: {listed(map(str, kept), 5)}."
    return "Repeat it with this option." if folder.is_dir() else "Check the path."


def model_files(folder: Path) -> Iterator[Path]:
    """Yield everything but folders in the folder of a model, sorted by path."""
    return (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())

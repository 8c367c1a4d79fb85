"""Messages about folders without a kept model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from planktonbench.data_manifests.errors import DataError
from planktonbench.models.kept.model_facts import MODEL, ModelFacts

if TYPE_CHECKING:
    from pathlib import Path

RUN = "runs/lake/cnn-lenet/holdout.v1/seed-0"


def refusal(folder: Path) -> str:
    """Return the message on a folder that is no kept run."""
    with pytest.raises(DataError) as caught:
        ModelFacts.read(folder / MODEL)
    return str(caught.value)


@pytest.mark.parametrize("given", ["", "runs", "runs/lake", "runs/lake/cnn-lenet/holdout.v1", f"{RUN}/{MODEL}"])
def test_kept_runs_of_the_folder_are_named(tmp_path: Path, given: str) -> None:
    """A results folder, one inside it, or the folder of the model is given instead of the run."""
    model = tmp_path / RUN / MODEL
    model.mkdir(parents=True)
    ModelFacts(name="cnn-lenet", reference="cnn-lenet", options={}, classes=("a",)).write(model)

    message = refusal(tmp_path / given)
    assert f"{tmp_path / given} has no kept model" in message
    assert message.endswith(f"that was made with --keep-models. Runs with a kept model: {tmp_path / RUN}.")


def test_without_a_kept_run_the_message_says_what_to_do(tmp_path: Path) -> None:
    """A run without its model can be repeated; a folder that does not exist cannot."""
    assert refusal(tmp_path).endswith("Repeat it with this option.")
    assert refusal(tmp_path / "nowhere").endswith("Check the path.")

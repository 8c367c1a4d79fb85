"""Example mining from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .preparation import MiningInputs, open_mining

if TYPE_CHECKING:
    import pandas as pd


def mine(
    examples: Path | str,
    unlabelled: Path | str,
    *,
    model: Path | str | None = None,
    answers: Path | str | None = None,
    jobs: int = 1,
) -> pd.DataFrame:
    """Rank unlabelled images by how well they fit novel classes of which there are a few examples.

    Args:
        examples: CSV file with the columns `image`, a path relative to the folder of the file, and `taxon`.
        unlabelled: folder, zip or tar file of images.
        model: folder of a run of an image track that was made with `keep_models=True`; None for EfficientNet-Lite0 with
            ImageNet weights.
        answers: CSV file with the columns `image` as in the result, `taxon` and `answer` (yes or no).
        jobs: number of processes that read images.

    Returns:
        Columns `image` (path inside `unlabelled`), `taxon`, `score` and `rank` (from 1) within each taxon.

    Raises:
        DataError: a file is missing or wrong, an example cannot be read, or no unlabelled image can.
        TrackError: the model cannot be used, or pretrained weights are missing.

    Example:
        >>> import planktonbench as pb
        >>> ranked = pb.mine("new.csv", "cruise/images")  # doctest: +SKIP
        >>> ranked.query("rank <= 100").groupby("taxon")["image"].apply(list)  # doctest: +SKIP

    """
    inputs = MiningInputs(
        Path(examples).expanduser(),
        Path(unlabelled).expanduser(),
        None if model is None else Path(model).expanduser(),
        None if answers is None else Path(answers).expanduser(),
        jobs=jobs,
    )
    return open_mining(inputs).session.table()

"""Files of an audit: findings and tables, figures of image sizes and of conflicting labels."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ...data_manifests.audit.copies import same_pixels
from ...data_manifests.audit.report import differing
from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write
from ..figures.style import ACCENT, INK, PALE, style

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.audit.report import Audit
    from ...data_manifests.images.store import ImageStore

MOST_PAIRS = 12
DOTS_PER_INCH = 130


def write_audit(audit: Audit, out: Path) -> list[Path]:
    """Write the files of an audit.

    Args:
        audit: the audit.
        out: folder for findings.json; features.csv if there is a native table; images.csv and sizes.png if there are
            images; at-odds.png, with some pairs of images, if identical or similar images have different labels. Files
            of these names from an earlier audit are replaced or removed.

    Returns:
        The files that were written.

    """
    text = json.dumps(audit.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    atomic_write(out / "findings.json", lambda temporary: temporary.write_text(text, encoding="utf-8"))
    tables = {"features.csv": features_table(audit), "images.csv": images_table(audit)}
    figures = {"sizes.png": sizes(audit), "at-odds.png": conflicting_labels(audit)}
    for name, table in tables.items():
        if table is not None:
            atomic_write(out / name, partial(table.to_csv, index=False))
    for name, figure in figures.items():
        if figure is not None:
            if audit.dataset.simulated:
                figure.supxlabel("simulated data", x=1, ha="right", fontsize=7, color=INK)
            _save(figure, out / name)
    written = {name for name, content in (tables | figures).items() if content is not None}
    for name in (tables | figures).keys() - written:
        (out / name).unlink(missing_ok=True)
    return [out / name for name in ("findings.json", *tables, *figures) if name in written | {"findings.json"}]


def images_table(audit: Audit) -> pd.DataFrame | None:
    """Return the table of `scan`, one row per image, hashes as 16 hexadecimal digits; None without images."""
    if audit.images is None:
        return None
    looks = [f"{look:016x}" if status == "ok" else "" for look, status in audit.images[["look", "status"]].to_numpy()]
    return audit.images.drop(columns="small").assign(look=looks)


def features_table(audit: Audit) -> pd.DataFrame | None:
    """Return one row per native column: share of missing values, range, and balanced accuracy of the column alone."""
    native, scores = audit.dataset.native, audit.feature_scores
    if native is None or scores is None:
        return None
    columns = {"missing": native.isna().mean(), "least": native.min(), "largest": native.max()}
    table = pd.DataFrame(columns).assign(balanced_accuracy_alone=scores.reindex(native.columns))
    return table.rename_axis("feature").reset_index()


def _save(figure: Figure, path: Path) -> None:
    with style():
        atomic_write(
            path, lambda temporary: figure.savefig(temporary, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight")
        )


def _canvas(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def sizes(audit: Audit) -> Figure | None:
    """Draw the distributions of width and height of readable images, alone and jointly, as in source 001.

    Scales are logarithmic, since sizes span two orders of magnitude. None if no image can be read.
    """
    import seaborn as sns

    images = audit.images
    readable = None if images is None else images.loc[images["status"] == "ok", ["width", "height"]]
    if readable is None or not len(readable):
        return None
    with style():
        figure = _canvas(9, 3.8)
        marginal, joint = figure.subplots(1, 2, width_ratios=(1.3, 1))
        melted = readable.melt(var_name="side", value_name="pixels")
        sns.histplot(
            melted, x="pixels", hue="side", log_scale=True, element="step", palette=[ACCENT, INK], alpha=0.25, bins=50,
            ax=marginal,
        )  # fmt: skip
        marginal.get_legend().set_title(None)
        marginal.get_legend().set_frame_on(False)
        marginal.set(xlabel="side length (px)", ylabel="number of images")
        sns.histplot(readable, x="width", y="height", log_scale=True, bins=45, cmap="mako_r", ax=joint)
        ends = readable.min(axis=None), readable.max(axis=None)
        joint.plot(ends, ends, color=PALE, linewidth=0.8)
        joint.set(xlabel="width (px)", ylabel="height (px)", aspect="equal")
        for axis in (marginal.xaxis, joint.xaxis, joint.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axis.set_minor_formatter(NullFormatter())
    return figure


def conflicting_labels(audit: Audit) -> Figure | None:
    """Draw pairs of identical or similar images with different labels, next to each other; None if there are none."""
    pairs = _conflicting_pairs(audit)[:MOST_PAIRS]
    images, store = audit.images, audit.dataset.images
    if not pairs or images is None or store is None:
        return None
    with style():
        figure = _canvas(7.5, 1.25 * int(np.ceil(len(pairs) / 2)))
        grid = figure.subplots(int(np.ceil(len(pairs) / 2)), 4, squeeze=False).reshape(-1, 2)
        for axes in grid.ravel():
            axes.set_axis_off()
        for pair, panels in zip(pairs, grid, strict=False):
            for row, axes in zip(pair, panels, strict=True):
                axes.imshow(_picture(store, str(images["object_id"][row])), cmap="gray", vmin=0, vmax=255)
                axes.set_title(str(images["taxon"][row]), fontsize=6, color=INK)
    return figure


def _conflicting_pairs(audit: Audit) -> list[tuple[int, int]]:
    """Return row numbers of pairs of images with different labels: identical pixels first, then the most similar."""
    images, pairs = audit.images, audit.pairs
    if images is None or pairs is None:
        return []
    groups = [group.dropna(subset="taxon").drop_duplicates("taxon").index.tolist() for group in same_pixels(images)]
    same = [(rows[0], row) for rows in groups for row in rows[1:]]
    taxa = images["taxon"].to_numpy(object)
    alike = pairs[differing(taxa[pairs["first"]], taxa[pairs["second"]])]
    return same + list(zip(alike["first"].tolist(), alike["second"].tolist(), strict=True))


def _picture(store: ImageStore, object_id: str) -> NDArray[np.uint8]:
    try:
        return store.read(object_id)
    except DataError:  # changed since it was scanned
        return np.full((1, 1), 255, np.uint8)

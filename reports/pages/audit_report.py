"""What an audit leaves: its findings and images as files, sizes and copies as figures."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ...data_manifests.audit.copies import same_pixels
from ...data_manifests.audit.report import differing
from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import write_whole
from ..figures.style import ACCENT, INK, PALE, style

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ...data_manifests.audit.report import Audit
    from ...data_manifests.images.store import ImageStore

MOST_PAIRS = 12
DOTS_PER_INCH = 130


def write_audit(audit: Audit, out: Path) -> list[Path]:
    """Write an audit's files.

    Args:
        audit: the audit.
        out: folder for findings.json; features.csv, where there is a native table; images.csv and sizes.png, where
            there are images; at-odds.png, where there are pairs of images that are or look the same and have different
            labels: some of them, side by side. Of these files, those that an earlier audit left there are replaced or
            removed.

    Returns:
        The files that were written.

    """
    text = json.dumps(audit.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(out / "findings.json", lambda part: part.write_text(text, encoding="utf-8"))
    tables = {"features.csv": features_table(audit), "images.csv": images_table(audit)}
    figures = {"sizes.png": sizes(audit), "at-odds.png": at_odds(audit)}
    for name, table in tables.items():
        if table is not None:
            write_whole(out / name, partial(table.to_csv, index=False))
    for name, figure in figures.items():
        if figure is not None:
            if audit.dataset.simulated:
                figure.supxlabel("simulated data", x=1, ha="right", fontsize=7, color=INK)
            _save(figure, out / name)
    made = {name for name, content in (tables | figures).items() if content is not None}
    for name in (tables | figures).keys() - made:
        (out / name).unlink(missing_ok=True)
    return [out / name for name in ("findings.json", *tables, *figures) if name in made | {"findings.json"}]


def images_table(audit: Audit) -> pd.DataFrame | None:
    """Return one row per image, as `scan` says, looks as 16 hexadecimal digits; None without images."""
    if audit.images is None:
        return None
    looks = [f"{look:016x}" if status == "ok" else "" for look, status in audit.images[["look", "status"]].to_numpy()]
    return audit.images.drop(columns="small").assign(look=looks)


def features_table(audit: Audit) -> pd.DataFrame | None:
    """Return one row per native column: share of missing values, least and largest value, what it recognises alone."""
    native, alone = audit.dataset.native, audit.alone
    if native is None or alone is None:
        return None
    columns = {"missing": native.isna().mean(), "least": native.min(), "largest": native.max()}
    table = pd.DataFrame(columns).assign(balanced_accuracy_alone=alone.reindex(native.columns))
    return table.rename_axis("feature").reset_index()


def _save(figure: Figure, path: Path) -> None:
    with style():
        write_whole(path, lambda part: figure.savefig(part, format="png", dpi=DOTS_PER_INCH, bbox_inches="tight"))


def _canvas(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def sizes(audit: Audit) -> Figure | None:
    """Draw the distribution of widths and heights of readable images, and both together, as source 001; None without.

    On logarithmic scales, since sizes run over two orders of magnitude.
    """
    images = audit.images
    good = None if images is None else images.loc[images["status"] == "ok", ["width", "height"]]
    if good is None or not len(good):
        return None
    with style():
        figure = _canvas(9, 3.8)
        alone, together = figure.subplots(1, 2, width_ratios=(1.3, 1))
        melted = good.melt(var_name="side", value_name="pixels")
        sns.histplot(
            melted, x="pixels", hue="side", log_scale=True, element="step", palette=[ACCENT, INK], alpha=0.25, bins=50,
            ax=alone,
        )  # fmt: skip
        alone.get_legend().set_title(None)
        alone.get_legend().set_frame_on(False)
        alone.set(xlabel="pixels", ylabel="images")
        sns.histplot(good, x="width", y="height", log_scale=True, bins=45, cmap="mako_r", ax=together)
        ends = good.min(axis=None), good.max(axis=None)
        together.plot(ends, ends, color=PALE, linewidth=0.8)
        together.set(xlabel="width, pixels", ylabel="height, pixels", aspect="equal")
        for axis in (alone.xaxis, together.xaxis, together.yaxis):
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            axis.set_minor_formatter(NullFormatter())
    return figure


def at_odds(audit: Audit) -> Figure | None:
    """Draw pairs of images that are or look the same and have different labels, side by side; None without any."""
    pairs = _pairs_at_odds(audit)[:MOST_PAIRS]
    images, store = audit.images, audit.dataset.images
    if not pairs or images is None or store is None:
        return None
    with style():
        figure = _canvas(7.5, 1.25 * int(np.ceil(len(pairs) / 2)))
        grid = figure.subplots(int(np.ceil(len(pairs) / 2)), 4, squeeze=False).reshape(-1, 2)
        for axes in grid.ravel():
            axes.set_axis_off()
        for (one, two), places in zip(pairs, grid, strict=False):
            for row, axes in zip((one, two), places, strict=True):
                axes.imshow(_picture(store, str(images["object_id"][row])), cmap="gray", vmin=0, vmax=255)
                axes.set_title(str(images["taxon"][row]), fontsize=6, color=INK)
    return figure


def _pairs_at_odds(audit: Audit) -> list[tuple[int, int]]:
    """Return row numbers of pairs of images with different labels: the same pixels first, then the most alike."""
    images, pairs = audit.images, audit.pairs
    if images is None or pairs is None:
        return []
    taken = [group.dropna(subset="taxon").drop_duplicates("taxon").index.tolist() for group in same_pixels(images)]
    same = [(rows[0], row) for rows in taken for row in rows[1:]]
    taxa = images["taxon"].to_numpy(object)
    alike = pairs[differing(taxa[pairs["first"]], taxa[pairs["second"]])]
    return same + list(zip(alike["first"].tolist(), alike["second"].tolist(), strict=True))


def _picture(store: ImageStore, object_id: str) -> NDArray[np.uint8]:
    try:
        return store.read(object_id)
    except DataError:  # it was readable when it was scanned
        return np.full((1, 1), 255, np.uint8)

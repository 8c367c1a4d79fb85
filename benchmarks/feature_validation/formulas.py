"""Reference implementations in NumPy of the formulas in the catalogue that no public program provides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from .outline_walks import boundary_chains, chain_length, elliptic_fourier, skeleton_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subject import Subject, Values

HARMONICS, SECTIONS, DEPTHS = 12, 8, 5
TIE = 1e-6  # pixels; smaller differences of positions are due to rounding
NEIGHBOURS = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])


def by_formula(subject: Subject) -> Values:
    """Compute the features that no public program provides."""
    outline = _outline(subject)
    return {
        **outline,
        **_ellipse(subject),
        **_grey(subject),
        **_inside(subject),
        **_layers(subject),
        **_sections(subject),
        "fcons": _neighbour_contrast(subject),
    }


def by_division(known: Values) -> Values:
    """Compute ratios of features that are already known."""
    ratios = {
        "solidity": ("area", "convarea"), "convexity": ("convperim", "perim."), "perimferet": ("perim.", "feret"),
        "perimmajor": ("perim.", "major"), "convperim_perim": ("convperim", "perim."),
        "convarea_area": ("convarea", "area"), "skeleton_area": ("skelarea", "area"),
        "symetrieh_area": ("symetrieh", "area"), "symetriev_area": ("symetriev", "area"), "kurt_mean": ("kurt", "mean"),
        "skew_mean": ("skew", "mean"), "median_mean": ("median", "mean"), "elongation": ("major_zp", "minor_zp"),
        **{f"nb{k}_{below}": (f"nb{k}", below) for k in (1, 2, 3) for below in ("area", "range")},
    }  # fmt: skip
    root = np.sqrt(known["area_exc"])
    return {
        **{name: quotient(known[above], known[below]) for name, (above, below) in ratios.items()},
        "%area": 100 * known["area_exc"] / known["area"],
        "circ.": min(4 * np.pi * known["area"] / known["perim."] ** 2, 1),
        "circex": min(4 * np.pi * known["area_exc"] / known["perim."] ** 2, 1),
        "perimareaexc": known["perim."] / root,
        "feretareaexc": known["feret"] / root,
        "cv": quotient(100 * known["stddev"], known["mean"]),
        "sr": quotient(100 * known["stddev"], known["range"]),
        "meanpos": quotient(known["mean"] - known["max"], known["mean"] - known["min"]),
        "median_mean_range": quotient(quotient(known["median"], known["mean"]), known["range"]),
    }


def quotient(above: float, below: float) -> float:
    """Divide; return NaN if the divisor is 0."""
    return above / below if below else np.nan


def histogram_levels(pixels: NDArray[np.float64]) -> list[float]:
    """Return the grey levels where the cumulative histogram, linear within each level, reaches 25, 50 and 75 %."""
    ordered, levels = np.sort(pixels), []
    for quantile in (0.25, 0.5, 0.75):
        rank = quantile * len(ordered)
        level = ordered[int(np.ceil(rank)) - 1]
        darker, same = (ordered < level).sum(), (ordered == level).sum()
        levels.append(float(level - 0.5 + (rank - darker) / same))
    return levels


def _outline(subject: Subject) -> Values:
    """Compute the perimeter, and elliptic Fourier amplitudes of the longest outline."""
    chains = boundary_chains(subject.filled)
    longest = max(chains, key=len)
    amplitudes = elliptic_fourier(longest, HARMONICS) if len(longest) > 1 else np.full(HARMONICS, np.nan)
    return {
        "perim.": sum(chain_length(chain) + np.pi for chain in chains),
        **{f"efd{n}": float(amplitudes[n - 1] / amplitudes[0]) for n in range(2, HARMONICS + 1)},
    }


def _axes(subject: Subject) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y relative to the centroid, of shape (2, area), and ascending eigenvalues with eigenvectors."""
    y, x = np.nonzero(subject.filled)
    offsets = np.stack([x - x.mean(), y - y.mean()])
    values, vectors = np.linalg.eigh(offsets @ offsets.T / offsets.shape[1])
    return offsets, np.maximum(values, 0), vectors


def _is_round(values: NDArray[np.float64]) -> bool:
    """Return whether both eigenvalues are equal, so that there is no major axis."""
    return bool(values[1] - values[0] <= 1e-9 * values.sum())


def _ellipse(subject: Subject) -> Values:
    """Fit the ellipse of ImageJ, with the area of the object and the axis ratio from moments of square pixels."""
    _, values, _ = _axes(subject)
    area = float(subject.filled.sum())
    longer, shorter = np.sqrt(values[::-1] + 1 / 12)
    return {
        "major_zp": float(2 * np.sqrt(area / np.pi * longer / shorter)),
        "minor_zp": float(2 * np.sqrt(area / np.pi * shorter / longer)),
    }


def _grey(subject: Subject) -> Values:
    """Compute statistics of the grey levels by definition."""
    pixels = np.sort(subject.pixels)
    return {
        "stddev": float(pixels.std(ddof=1)) if len(pixels) > 1 else np.nan,
        "median": float(pixels[(len(pixels) + 1) // 2 - 1]),
        "range": float(np.ptp(pixels)),
        "intden": float(pixels.sum()),
        **{f"histcum{k}": level for k, level in enumerate(histogram_levels(pixels), start=1)},
        "meanimagegrey": subject.frame,
        **_contrast(subject),
        "transparency": 1 - float(subject.contrast[subject.filled].mean()) / subject.max_contrast,
    }


def _contrast(subject: Subject) -> Values:
    """Compute the histogram of the contrast, with 16 levels per bin."""
    counts, _ = np.histogram(subject.contrast[subject.filled], bins=np.arange(0, 257, 16))
    return {f"contrast_bin{k}": float(count / subject.filled.sum()) for k, count in enumerate(counts, start=1)}


def _inside(subject: Subject) -> Values:
    """Compute symmetry about four axes, and the skeleton."""
    from skimage.morphology import thin

    _, values, vectors = _axes(subject)
    skeleton = np.asarray(thin(subject.mask), bool)
    neighbours = ndimage.convolve(skeleton.astype(int), NEIGHBOURS)
    angle = np.nan if _is_round(values) else float(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return {
        "symetrieh": _symmetry(subject, 0.0),
        "symetriev": _symmetry(subject, np.pi / 2),
        "symetriehc": _symmetry(subject, angle),
        "symetrievc": _symmetry(subject, angle + np.pi / 2),
        "skellength": skeleton_length(skeleton),
        "skelends": float((skeleton & (neighbours == 1)).sum()),
        "skelforks": float((skeleton & (neighbours > 2)).sum()),  # noqa: PLR2004 - a line has at most two
    }


def _symmetry(subject: Subject, angle: float) -> float:
    """Return the share of pixels whose reflection across a line through the centroid is in the object."""
    if np.isnan(angle):
        return np.nan
    y, x = np.nonzero(subject.filled)
    offsets, axis = np.stack([x - x.mean(), y - y.mean()]), np.array([np.cos(angle), np.sin(angle)])
    image = 2 * axis[:, None] * (axis @ offsets) - offsets
    row, column = image[1] + y.mean(), image[0] + x.mean()
    overlaps = [
        ndimage.map_coordinates(subject.filled.astype(np.uint8), [row + tie, column + tie], order=0, cval=0).mean()
        for tie in (TIE, -TIE)
    ]
    return float(np.mean(overlaps))


def _layers(subject: Subject) -> Values:
    """Divide the object into layers by depth, in integers; a pixel on a border belongs to the deeper layer."""
    square = np.rint(ndimage.distance_transform_edt(subject.filled)[subject.filled] ** 2).astype(int)
    borders = np.arange(1, DEPTHS)[:, None] ** 2 * square.max()
    return _zones("depth", (DEPTHS**2 * square >= borders).sum(axis=0), DEPTHS, subject)


def _sections(subject: Subject) -> Values:
    """Divide the object into sections along its major axis."""
    offsets, values, vectors = _axes(subject)
    along = vectors[:, 1] @ offsets
    asymmetry = along.max() + along.min()
    if (asymmetry if abs(asymmetry) > TIE else along @ subject.contrast[subject.filled]) < 0:
        along = -along
    low, high = along.min() - 0.5, along.max() + 0.5
    section = np.minimum(((along - low) / (high - low) * SECTIONS + TIE).astype(int), SECTIONS - 1)
    features = _zones("section", section, SECTIONS, subject)
    known = np.nan if _is_round(values) else 1.0
    return {name: value * known for name, value in features.items() if not name.endswith("stddev")}


def _zones(name: str, zone: NDArray[np.int64], n_zones: int, subject: Subject) -> Values:
    """Return share of pixels, and mean and standard deviation of the contrast, for each zone."""
    contrast, features = subject.contrast[subject.filled], {}
    for k in range(n_zones):
        inside = contrast[zone == k]
        features[f"{name}{k + 1}_area"] = len(inside) / len(contrast)
        features[f"{name}{k + 1}_contrast"] = float(inside.mean()) if len(inside) else np.nan
        features[f"{name}{k + 1}_stddev"] = float(inside.std()) if len(inside) else np.nan
    return features


def _neighbour_contrast(subject: Subject) -> float:
    """Return the mean squared difference between neighbouring pixels of the object in four directions."""
    grey = np.where(subject.filled, subject.grey.astype(np.float64), np.nan)
    squares = [
        (grey[1:] - grey[:-1]) ** 2, (grey[:, 1:] - grey[:, :-1]) ** 2,
        (grey[1:, 1:] - grey[:-1, :-1]) ** 2, (grey[1:, :-1] - grey[:-1, 1:]) ** 2,
    ]  # fmt: skip
    known = np.concatenate([square[~np.isnan(square)] for square in squares])
    return float(known.mean()) if len(known) else np.nan

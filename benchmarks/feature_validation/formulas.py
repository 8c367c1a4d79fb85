"""The referee's own working out of formulas that no public program has, in NumPy, as the catalogue states them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from .outline_walks import boundary_chains, chain_length, elliptic_fourier, skeleton_length

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subject import Subject, Values

HARMONICS, SECTIONS, DEPTHS = 12, 8, 5
TIE = 1e-6  # pixels, below which places differ by rounding alone
AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]])


def by_formula(subject: Subject) -> Values:
    """Work out what no public program measures."""
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
    """Divide features that are known already."""
    upon = {
        "solidity": ("area", "convarea"), "convexity": ("convperim", "perim."), "perimferet": ("perim.", "feret"),
        "perimmajor": ("perim.", "major"), "convperim_perim": ("convperim", "perim."),
        "convarea_area": ("convarea", "area"), "skeleton_area": ("skelarea", "area"),
        "symetrieh_area": ("symetrieh", "area"), "symetriev_area": ("symetriev", "area"), "kurt_mean": ("kurt", "mean"),
        "skew_mean": ("skew", "mean"), "median_mean": ("median", "mean"), "elongation": ("major_zp", "minor_zp"),
        **{f"nb{k}_{below}": (f"nb{k}", below) for k in (1, 2, 3) for below in ("area", "range")},
    }  # fmt: skip
    root = np.sqrt(known["area_exc"])
    return {
        **{name: quotient(known[above], known[below]) for name, (above, below) in upon.items()},
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
    """Divide; NaN where the divisor is 0."""
    return above / below if below else np.nan


def histogram_levels(pixels: NDArray[np.float64]) -> list[float]:
    """Return the grey levels where the cumulative histogram, linear within each level, reaches 25, 50 and 75 %."""
    ordered, found = np.sort(pixels), []
    for part in (0.25, 0.5, 0.75):
        wanted = part * len(ordered)
        level = ordered[int(np.ceil(wanted)) - 1]
        darker, same = (ordered < level).sum(), (ordered == level).sum()
        found.append(float(level - 0.5 + (wanted - darker) / same))
    return found


def _outline(subject: Subject) -> Values:
    """Walk along the outlines: perimeter, and elliptic Fourier amplitudes of the longest."""
    chains = boundary_chains(subject.filled)
    longest = max(chains, key=len)
    amplitudes = elliptic_fourier(longest, HARMONICS) if len(longest) > 1 else np.full(HARMONICS, np.nan)
    return {
        "perim.": sum(chain_length(chain) + np.pi for chain in chains),
        **{f"efd{n}": float(amplitudes[n - 1] / amplitudes[0]) for n in range(2, HARMONICS + 1)},
    }


def _axes(subject: Subject) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y from the centroid, of shape (2, area), and the ascending eigenvalues and eigenvectors of both."""
    y, x = np.nonzero(subject.filled)
    off = np.stack([x - x.mean(), y - y.mean()])
    values, vectors = np.linalg.eigh(off @ off.T / off.shape[1])
    return off, np.maximum(values, 0), vectors


def _is_round(values: NDArray[np.float64]) -> bool:
    """Tell whether both eigenvalues are the same, so that no axis is the major one."""
    return bool(values[1] - values[0] <= 1e-9 * values.sum())


def _ellipse(subject: Subject) -> Values:
    """Fit ImageJ's ellipse: the same area, and the axes' ratio from moments of square pixels."""
    _, values, _ = _axes(subject)
    area = float(subject.filled.sum())
    longer, shorter = np.sqrt(values[::-1] + 1 / 12)
    return {
        "major_zp": float(2 * np.sqrt(area / np.pi * longer / shorter)),
        "minor_zp": float(2 * np.sqrt(area / np.pi * shorter / longer)),
    }


def _grey(subject: Subject) -> Values:
    """Take statistics of the grey levels by their definition."""
    pixels = np.sort(subject.pixels)
    return {
        "stddev": float(pixels.std(ddof=1)) if len(pixels) > 1 else np.nan,
        "median": float(pixels[(len(pixels) + 1) // 2 - 1]),
        "range": float(np.ptp(pixels)),
        "intden": float(pixels.sum()),
        **{f"histcum{k}": level for k, level in enumerate(histogram_levels(pixels), start=1)},
        "meanimagegrey": subject.frame,
        **_contrast(subject),
        "transparency": 1 - float(subject.contrast[subject.filled].mean()) / subject.room,
    }


def _contrast(subject: Subject) -> Values:
    """Take the histogram of the contrast, 16 levels a bin."""
    counts, _ = np.histogram(subject.contrast[subject.filled], bins=np.arange(0, 257, 16))
    return {f"contrast_bin{k}": float(count / subject.filled.sum()) for k, count in enumerate(counts, start=1)}


def _inside(subject: Subject) -> Values:
    """Mirror the object in four lines, and follow its skeleton."""
    from skimage.morphology import thin

    _, values, vectors = _axes(subject)
    skeleton = np.asarray(thin(subject.mask), bool)
    neighbours = ndimage.convolve(skeleton.astype(int), AROUND)
    turn = np.nan if _is_round(values) else float(np.arctan2(vectors[1, 1], vectors[0, 1]))
    return {
        "symetrieh": _mirrored(subject, 0.0),
        "symetriev": _mirrored(subject, np.pi / 2),
        "symetriehc": _mirrored(subject, turn),
        "symetrievc": _mirrored(subject, turn + np.pi / 2),
        "skellength": skeleton_length(skeleton),
        "skelends": float((skeleton & (neighbours == 1)).sum()),
        "skelforks": float((skeleton & (neighbours > 2)).sum()),  # noqa: PLR2004 - more than a line has
    }


def _mirrored(subject: Subject, turn: float) -> float:
    """Return the share of pixels whose mirror image in a line through the centroid is of the object."""
    if np.isnan(turn):
        return np.nan
    y, x = np.nonzero(subject.filled)
    off, axis = np.stack([x - x.mean(), y - y.mean()]), np.array([np.cos(turn), np.sin(turn)])
    image = 2 * axis[:, None] * (axis @ off) - off
    row, column = image[1] + y.mean(), image[0] + x.mean()
    there = [
        ndimage.map_coordinates(subject.filled.astype(np.uint8), [row + tie, column + tie], order=0, cval=0).mean()
        for tie in (TIE, -TIE)
    ]
    return float(np.mean(there))


def _layers(subject: Subject) -> Values:
    """Crop the object into layers by depth, in whole numbers: a pixel on a border is of the deeper layer."""
    square = np.rint(ndimage.distance_transform_edt(subject.filled)[subject.filled] ** 2).astype(int)
    borders = np.arange(1, DEPTHS)[:, None] ** 2 * square.max()
    return _parts("depth", (DEPTHS**2 * square >= borders).sum(axis=0), DEPTHS, subject)


def _sections(subject: Subject) -> Values:
    """Crop the object across its major axis."""
    off, values, vectors = _axes(subject)
    along = vectors[:, 1] @ off
    ends_differ = along.max() + along.min()
    if (ends_differ if abs(ends_differ) > TIE else along @ subject.contrast[subject.filled]) < 0:
        along = -along
    low, high = along.min() - 0.5, along.max() + 0.5
    section = np.minimum(((along - low) / (high - low) * SECTIONS + TIE).astype(int), SECTIONS - 1)
    found = _parts("section", section, SECTIONS, subject)
    known = np.nan if _is_round(values) else 1.0
    return {name: value * known for name, value in found.items() if not name.endswith("stddev")}


def _parts(name: str, part: NDArray[np.int64], parts: int, subject: Subject) -> Values:
    """Return share of pixels, mean and standard deviation of the contrast in each part."""
    contrast, found = subject.contrast[subject.filled], {}
    for k in range(parts):
        inside = contrast[part == k]
        found[f"{name}{k + 1}_area"] = len(inside) / len(contrast)
        found[f"{name}{k + 1}_contrast"] = float(inside.mean()) if len(inside) else np.nan
        found[f"{name}{k + 1}_stddev"] = float(inside.std()) if len(inside) else np.nan
    return found


def _neighbour_contrast(subject: Subject) -> float:
    """Return the mean squared difference of neighbours of the object in four directions."""
    grey = np.where(subject.filled, subject.grey.astype(np.float64), np.nan)
    squares = [
        (grey[1:] - grey[:-1]) ** 2, (grey[:, 1:] - grey[:, :-1]) ** 2,
        (grey[1:, 1:] - grey[:-1, :-1]) ** 2, (grey[1:, :-1] - grey[:-1, 1:]) ** 2,
    ]  # fmt: skip
    known = np.concatenate([square[~np.isnan(square)] for square in squares])
    return float(known.mean()) if len(known) else np.nan

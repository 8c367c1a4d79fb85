"""Features measured by scikit-image, mahotas and SciPy, under catalogue names if the definition is the same.

`perimeter` and `area_convex` have the names of scikit-image, which defines them differently: as a weighted count of
border pixels, and as the pixels of a drawn hull.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, stats
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from .formulas import histogram_levels
from .texture import pattern_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .subject import Subject, Values

GREYS, DISTANCES = 16, (1, 2, 4)
DISCS = (3, 5, 7, 9, 13)
ORDERS = ("20", "11", "02", "30", "21", "12", "03")
HARALICK = (
    "asm", "contrast", "correlation", "variance", "idm", "sumaverage", "sumvariance", "sumentropy", "entropy",
    "diffvariance", "diffentropy", "imc1", "imc2",
)  # fmt: skip
PROPERTIES = (
    "area", "perimeter", "bbox", "area_bbox", "extent", "equivalent_diameter_area", "axis_major_length",
    "axis_minor_length", "orientation", "eccentricity", "area_convex", "feret_diameter_max", "moments_normalized",
    "moments_hu", "moments_weighted_hu", "centroid", "centroid_weighted", "intensity_mean", "intensity_min",
    "intensity_max",
)  # fmt: skip


def by_scikit_image(subject: Subject) -> Values:
    """Measure features with scikit-image."""
    return {**_regions(subject), **_pieces(subject), **_cooccurrence(subject), **_patterns(subject)}


def _regions(subject: Subject) -> Values:
    """Compute region properties with `regionprops_table` for grey levels and for contrast."""
    from skimage.measure import regionprops_table

    label = subject.filled.astype(np.uint8)
    table = {k: float(v[0]) for k, v in regionprops_table(label, subject.grey, properties=PROPERTIES).items()}
    of_contrast = ("moments_weighted_hu", "centroid_weighted")
    weighted = {k: float(v[0]) for k, v in regionprops_table(label, subject.contrast, properties=of_contrast).items()}
    bare = regionprops_table(subject.mask.astype(np.uint8), properties=("area", "euler_number"))
    elongated = table["axis_major_length"] > table["axis_minor_length"] * (1 + 1e-9)
    has_contrast = subject.contrast.any()
    shift = [weighted[f"centroid_weighted-{axis}"] - table[f"centroid-{axis}"] for axis in (0, 1)]
    return {
        "area": table["area"],
        "area_exc": float(bare["area"][0]),
        "width": table["bbox-3"] - table["bbox-1"],
        "height": table["bbox-2"] - table["bbox-0"],
        "bbox_area": table["area_bbox"],
        "extent": table["extent"],
        "esd": table["equivalent_diameter_area"],
        "major": table["axis_major_length"],
        "minor": table["axis_minor_length"],
        # scikit-image measures orientation from the row axis
        "angle": (np.rad2deg(table["orientation"]) + 90) % 180 if elongated else np.nan,
        "eccentricity": table["eccentricity"] if table["axis_major_length"] else np.nan,  # a point has 0 there
        "feret": table["feret_diameter_max"],
        "perimeter": table["perimeter"],
        "area_convex": table["area_convex"],
        "mean": table["intensity_mean"],
        "min": table["intensity_min"],
        "max": table["intensity_max"],
        # the first order in scikit-image is that of rows
        **{f"nu{order}": table[f"moments_normalized-{order[1]}-{order[0]}"] for order in ORDERS},
        **{f"hu{k}": _on_log_scale(table[f"moments_hu-{k - 1}"], k) for k in range(1, 8)},
        **{f"grey_hu{k}": _on_log_scale(weighted[f"moments_weighted_hu-{k - 1}"], k) if has_contrast else np.nan
           for k in range(1, 8)},
        "centroids": math.hypot(*shift) if has_contrast else np.nan,
    }  # fmt: skip


def _on_log_scale(invariant: float, k: int) -> float:
    """Transform a Hu invariant to the scale of the catalogue; the seventh changes sign if rows and columns swap."""
    turned = -invariant if k == 7 else invariant  # noqa: PLR2004 - the seventh
    return float(np.sign(turned) * np.log10(1 + abs(turned) / 1e-15))


def _pieces(subject: Subject) -> Values:
    """Count pieces and holes, and compute the entropy."""
    from skimage.measure import euler_number, label, shannon_entropy

    pieces = float(label(subject.mask, connectivity=2).max())
    levels = histogram_levels(subject.pixels)
    below = {k: subject.filled & (subject.grey <= levels[k - 1]) for k in (1, 2, 3)}
    return {
        "pieces": pieces,
        "holes": pieces - float(euler_number(subject.mask, connectivity=2)),
        "entropy": float(shannon_entropy(subject.pixels)),
        **{f"nb{k}": float(label(dark, connectivity=2).max()) for k, dark in below.items()},
    }


def by_thinning(subject: Subject) -> Values:
    """Measure the skeleton with scikit-image; separate because `thin` would dominate speed comparisons."""
    from skimage.morphology import thin

    return {"skelarea": float(thin(subject.mask).sum())}


def _quantised(subject: Subject) -> NDArray[np.uint8]:
    """Return grey levels quantised to 1 to `GREYS`, and 0 outside the object."""
    return np.where(subject.filled, subject.grey // (256 // GREYS) + 1, 0).astype(np.uint8)


def _cooccurrence(subject: Subject) -> Values:
    """Compute co-occurrence statistics with scikit-image, summed over four directions; level 0 is the background."""
    from skimage.feature import graycomatrix, graycoprops

    grey, features = _quantised(subject), {}
    names = {"asm": "ASM", "contrast": "contrast", "correlation": "correlation", "variance": "variance",
             "idm": "homogeneity"}  # fmt: skip
    for distance in DISTANCES:
        sideways = graycomatrix(grey, [distance], [0, np.pi / 2], GREYS + 1, symmetric=True)
        # offsets are rounded, so the diagonal neighbour d rows and d columns away is at a distance of √2 · d
        across = graycomatrix(grey, [np.sqrt(2) * distance], [np.pi / 4, 3 * np.pi / 4], GREYS + 1, symmetric=True)
        counts = (sideways.sum(axis=3) + across.sum(axis=3))[1:, 1:, :, None]
        share = counts / counts.sum() if counts.any() else np.full(counts.shape, np.nan)
        varied = np.count_nonzero(counts.sum(axis=0)) > 1
        for ours, theirs in names.items():
            known = counts.any() and (varied or ours != "correlation")
            features[f"haralick_{ours}_d{distance}"] = float(graycoprops(share, theirs)[0, 0]) if known else np.nan
    return features


def _patterns(subject: Subject) -> Values:
    """Compute local binary patterns for three radii."""
    features: Values = {}
    for radius in (1, 2, 3):
        shares = pattern_shares(subject.grey, subject.filled, radius)
        features |= {f"lbp_r{radius}_{code}": share for code, share in enumerate(shares)}
    return features


def by_mahotas(subject: Subject) -> Values:
    """Compute Haralick's thirteen statistics with mahotas, from matrices summed over four directions."""
    from mahotas.features.texture import cooccurence, haralick_features

    features: Values = {}
    grey = _quantised(subject)
    size = np.zeros((GREYS + 1, GREYS + 1), np.int32)
    for distance in DISTANCES:
        counts = sum(
            cooccurence(grey, direction, output=size.copy(), symmetric=True, distance=distance).astype(np.int64)
            for direction in range(4)
        )[1:, 1:]
        values = np.full(len(HARALICK), np.nan)
        if counts.any():
            values = haralick_features([counts], use_x_minus_y_variance=True)[0]
        if np.count_nonzero(counts.sum(axis=0)) == 1:  # one grey level: mahotas returns a correlation of 1
            values[[HARALICK.index("correlation"), HARALICK.index("imc1")]] = np.nan
        features |= {f"haralick_{name}_d{distance}": float(value) for name, value in zip(HARALICK, values, strict=True)}
    return features


def by_scipy(subject: Subject) -> Values:
    """Measure features with SciPy, except openings."""
    return {**_hull(subject), **_distances(subject), **_moments(subject), **_gradients(subject)}


def _hull(subject: Subject) -> Values:
    """Compute the convex hull of the midpoints of pixel edges, its diameter, and its smallest width across an edge."""
    rows, columns = np.nonzero(subject.filled)
    steps = ((0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5))
    hull = ConvexHull(np.concatenate([np.stack([columns + x, rows + y], axis=1) for x, y in steps]))
    corners = hull.points[hull.vertices]
    along = hull.equations[:, :2] @ corners.T
    return {
        "convarea": float(hull.volume),
        "convperim": float(hull.area),
        "feret": float(pdist(corners).max()),
        "minferet": float(np.ptp(along, axis=1).min()),
    }


def _distances(subject: Subject) -> Values:
    """Compute thickness, and the area within increasing distances from the boundary, by distance transforms."""
    depth = ndimage.distance_transform_edt(subject.filled)[subject.filled]
    boundary = subject.mask & ~ndimage.binary_erosion(subject.mask)
    distance = ndimage.distance_transform_edt(~boundary)
    radii = (1, 2, 3, 4)
    slope = stats.linregress(np.log(np.array(radii) + 0.5), np.log([(distance <= r).sum() for r in radii])).slope
    return {
        "thickr": float(depth.max() / depth.mean()),
        "thickmax": float(2 * depth.max() - 1),
        "fractal": float(2 - slope),
    }


def _moments(subject: Subject) -> Values:
    """Compute statistics of the grey levels."""
    varied = len(np.unique(subject.pixels)) > 1
    levels = np.arange(subject.pixels.min(), subject.pixels.max() + 1)
    cumulative = np.searchsorted(np.sort(subject.pixels), levels, side="right") / len(subject.pixels)
    return {
        "skew": float(stats.skew(subject.pixels)) if varied else np.nan,
        "kurt": float(stats.kurtosis(subject.pixels)) if varied else np.nan,
        "mode": float(stats.mode(subject.pixels).mode),
        "slope": float(stats.linregress(levels, 100 * cumulative).slope) if varied else np.nan,
    }


def _gradients(subject: Subject) -> Values:
    """Compute Sobel gradients and the Laplacian."""
    grey = subject.grey.astype(np.float64)
    x, y = (ndimage.sobel(grey, axis)[subject.filled] / 8 for axis in (1, 0))
    laplacian = ndimage.laplace(grey)[subject.filled]
    length, turned = np.hypot(x, y), (x + 1j * y) ** 2
    return {
        "gradient_mean": float(length.mean()),
        "gradient_stddev": float(length.std()),
        "gradient_max": float(length.max()),
        "gradient_aligned": float(abs(turned.sum()) / abs(turned).sum()) if length.any() else np.nan,
        "laplacian_mean": float(abs(laplacian).mean()),
        "laplacian_stddev": float(laplacian.std()),
    }


def by_openings(subject: Subject) -> Values:
    """Open the contrast with discs of increasing size, by far the slowest of the measurements with SciPy."""
    remaining = [subject.contrast.sum()]
    padded = np.pad(subject.contrast, max(DISCS))
    for size in DISCS:
        along = np.arange(size) - size // 2
        disc = np.hypot(along, along[:, None]) <= size // 2
        remaining.append(ndimage.grey_opening(padded, footprint=disc).sum())
    spectrum = -np.diff([*remaining, 0]) / (remaining[0] or np.nan)
    sizes = np.array([1, *DISCS])
    mean = float(spectrum @ sizes)
    return {
        **{f"granulo{size}": float(share) for size, share in zip(DISCS, spectrum, strict=False)},
        "granulo_mean": mean,
        "granulo_stddev": float(np.sqrt(max(spectrum @ (sizes - mean) ** 2, 0))),
    }

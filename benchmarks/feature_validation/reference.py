"""The referee of measured features: the same definitions worked out a second time, image by image.

Nothing is shared with the kernels in `features/measured`. `reference_programs` asks scikit-image, mahotas and SciPy;
`reference_formulas` and `reference_walks` work out what no public program has, in the plainest way. All of it is slow,
and meant to be read.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from .formulas import by_division, by_formula, quotient
from .other_programs import by_mahotas, by_openings, by_scikit_image, by_scipy, by_thinning
from .polar import angles, rings, zernike_by_mahotas
from .subject import Subject, Values
from .texture import smoothed_patterns

CORE_SHAPES = ("pieces", "holes", "extent", "elongation", "circ.", "solidity", "perimferet", "hu1")
CORE_SHARES = ("area", "feret", "perim.", "convarea")


def reference_features(subject: Subject) -> dict[str, Values]:
    """Measure one object by all referees.

    Args:
        subject: the object.

    Returns:
        By the name of the program, or `NumPy` for what is worked out here, values by name of feature. A feature may be
        had from several programs. Undefined values are NaN.

    """
    found = _outer_form(subject)
    found["scikit-image"] |= smoothed_patterns(subject)
    found["SciPy"] |= by_openings(subject)
    found["mahotas"] = by_mahotas(subject) | zernike_by_mahotas(subject)
    found["NumPy"] |= rings(subject) | angles(subject) | _core(subject, _merged(found))
    return found


def _outer_form(subject: Subject) -> dict[str, Values]:
    """Measure what the core has, too."""
    found = {
        "scikit-image": by_scikit_image(subject) | by_thinning(subject),
        "SciPy": by_scipy(subject),
        "NumPy": by_formula(subject),
    }
    found["NumPy"] |= by_division(_merged(found))
    return found


def _merged(found: dict[str, Values]) -> Values:
    return {name: value for values in found.values() for name, value in values.items()}


def _core(subject: Subject, known: Values) -> Values:
    """Measure the core, an object of its own, and compare it with the whole."""
    from skimage.filters import threshold_otsu

    contrast = subject.contrast[subject.filled].astype(np.int64)
    threshold = min(int(threshold_otsu(contrast)) if np.ptp(contrast) else 0, contrast.max() - 1)
    core = Subject(subject.grey, subject.filled & (subject.contrast > threshold), subject.ground, subject.frame)
    found = _merged(_outer_form(core))
    apart = np.subtract(*(ndimage.center_of_mass(form.filled) for form in (core, subject)))
    return {
        "core_threshold": float(max(threshold, 0)),
        **{f"core_{name}": found[name] for name in CORE_SHAPES},
        **{f"core_{name}_share": quotient(found[name], known[name]) for name in CORE_SHARES},
        "core_offset": float(np.hypot(*apart) / known["esd"]),
        "core_turn": float(abs(np.sin(np.deg2rad(found["angle"] - known["angle"])))),
    }

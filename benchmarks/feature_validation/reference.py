"""Reference implementation of all measured features, image by image.

No code is shared with the kernels in `features/measured`. `other_programs` uses scikit-image, mahotas and SciPy;
`formulas` and `outline_walks` implement what no public program provides. The code is written for clarity, not speed.
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
    """Measure an object with all reference implementations.

    Args:
        subject: the object.

    Returns:
        Values by feature, for each program; `NumPy` denotes the implementations in this package. A feature may be
        measured by several programs. Undefined values are NaN.

    """
    by_program = _object_features(subject)
    by_program["scikit-image"] |= smoothed_patterns(subject)
    by_program["SciPy"] |= by_openings(subject)
    by_program["mahotas"] = by_mahotas(subject) | zernike_by_mahotas(subject)
    by_program["NumPy"] |= rings(subject) | angles(subject) | _core(subject, _merged(by_program))
    return by_program


def _object_features(subject: Subject) -> dict[str, Values]:
    """Measure the features that are defined for whole objects and for their cores."""
    by_program = {
        "scikit-image": by_scikit_image(subject) | by_thinning(subject),
        "SciPy": by_scipy(subject),
        "NumPy": by_formula(subject),
    }
    by_program["NumPy"] |= by_division(_merged(by_program))
    return by_program


def _merged(by_program: dict[str, Values]) -> Values:
    return {name: value for values in by_program.values() for name, value in values.items()}


def _core(subject: Subject, known: Values) -> Values:
    """Measure the core as a separate object, and compare it with the whole."""
    from skimage.filters import threshold_otsu

    contrast = subject.contrast[subject.filled].astype(np.int64)
    threshold = min(int(threshold_otsu(contrast)) if np.ptp(contrast) else 0, contrast.max() - 1)
    core = Subject(subject.grey, subject.filled & (subject.contrast > threshold), subject.ground, subject.frame)
    values = _merged(_object_features(core))
    offset = np.subtract(*(ndimage.center_of_mass(form.filled) for form in (core, subject)))
    return {
        "core_threshold": float(max(threshold, 0)),
        **{f"core_{name}": values[name] for name in CORE_SHAPES},
        **{f"core_{name}_share": quotient(values[name], known[name]) for name in CORE_SHARES},
        "core_offset": float(np.hypot(*offset) / known["esd"]),
        "core_turn": float(abs(np.sin(np.deg2rad(values["angle"] - known["angle"])))),
    }

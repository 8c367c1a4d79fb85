"""Compilation of loops over pixels to machine code with Numba.

A NumPy array expression traverses the pixels once per operator, and for the few pixels of a crop of plankton, calls and
temporary arrays cost more than the arithmetic. A compiled loop traverses them once. It keeps the order of additions and
the rounding of the source (no `fastmath`), so that values are the same on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

Loop = TypeVar("Loop", bound="Callable[..., object]")


def compiled(loop: Loop) -> Loop:
    """Compile a function of arrays and numbers at its first call, and cache the machine code on disk.

    Numba stores the code next to the source or, if that folder is not writable, in the user's cache folder. If neither
    is writable, each process compiles for itself. Division by zero gives infinity or NaN, as in NumPy.

    A loop may call only loops of its own module, and use only constants of that module: Numba invalidates the cached
    code when the loop's own file changes, but not when another file does.
    """
    try:
        found = njit(loop, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # no writable folder for the code
        found = njit(loop, nogil=True, error_model="numpy")
    return cast("Loop", found)

"""Loops over pixels, compiled to machine code by Numba.

An array expression of NumPy goes over its pixels once for each sign in it, and a crop of plankton has few pixels: calls
and temporary arrays cost more than the arithmetic. A compiled loop goes over them once. It keeps the order of
additions and the rounding of the source (no `fastmath`), so that values are the same wherever it runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

Loop = TypeVar("Loop", bound="Callable[..., object]")


def compiled(loop: Loop) -> Loop:
    """Let a function of arrays and numbers be compiled when it is first called, and keep the code on disk.

    Numba keeps it beside the source; where that cannot be written, in the user's cache. Where neither can be, each
    process compiles for itself. Division by zero gives infinity or NaN, as in NumPy.

    A loop calls loops of its own module only, and uses only its constants: what is on disk is as new as the file that
    it was made from, and Numba does not look whether another one has changed.
    """
    try:
        found = njit(loop, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # there is no place for the code
        found = njit(loop, nogil=True, error_model="numpy")
    return cast("Loop", found)

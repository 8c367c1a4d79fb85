"""Reads tensors from a file of PyTorch weights, without PyTorch and without running what a pickle asks for.

The format is that of `torch.save` before version 1.6 (torch/serialization.py, `_legacy_save`): three pickles (magic
number, version of the protocol, facts about the machine), the pickled dictionary of tensors, the pickled list of
storage keys, then of each storage its count of elements (int64) and its elements.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies: key and dtype of its storage, first element, shape and strides in elements."""

    key: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def placed(
        cls, storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
    ) -> _Tensor:
        """Stand in for PyTorch's function that rebuilds a tensor."""
        _, name, key, *_rest = storage
        return cls(key, DTYPES[name], offset, shape, strides)

    def of(self, content: NDArray[Any]) -> NDArray[Any]:
        """Return the tensor's elements from those of its storage.

        Raises:
            ValueError: it reaches beyond its storage.

        """
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if not 0 <= self.offset <= last < len(content) or min(self.strides, default=0) < 0:
            message = f"a tensor of shape {self.shape} reaches beyond its storage of {len(content):,} elements"
            raise ValueError(message)
        steps = [stride * content.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(content[self.offset :], self.shape, steps).copy()


class _Unpickler(pickle.Unpickler):
    """Knows four names, none of which runs anything, and refuses all others."""

    KNOWN = {  # noqa: RUF012 - not changed
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor.placed,
        ("torch", "FloatStorage"): "FloatStorage",
        ("torch", "LongStorage"): "LongStorage",
    }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - the base class's signature
        """Return what stands for a name.

        Raises:
            pickle.UnpicklingError: it is none of those that tensors need.

        """
        try:
            return self.KNOWN[module, name]
        except KeyError:
            message = f"it names {module}.{name}, which tensors do not need"
            raise pickle.UnpicklingError(message) from None

    def persistent_load(self, pid: Any) -> Any:  # noqa: ANN401 - as above
        """Return the description of a storage as it is."""
        return pid


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file by name.

    Args:
        path: written by `torch.save` of a dictionary of tensors in the format before version 1.6.

    Raises:
        DataError: it has another format, or names anything but tensors of float32 and int64.

    """
    with path.open("rb") as file:
        try:
            return _read(file)
        except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, AttributeError) as fault:
            message = f"{path} holds no weights that can be read ({fault}); expected a file of torch.save before 1.6."
            raise DataError(message) from fault


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    if _Unpickler(file).load() != MAGIC:
        message = "its first bytes are not those of such a file"
        raise ValueError(message)
    for _ in ("version of the protocol", "facts about the machine"):
        _Unpickler(file).load()
    tensors: dict[str, _Tensor] = _Unpickler(file).load()
    keys: list[str] = _Unpickler(file).load()
    dtypes = {tensor.key: tensor.dtype for tensor in tensors.values()}
    storages = {key: _storage(file, dtypes[key]) for key in keys}
    return {name: tensor.of(storages[tensor.key]) for name, tensor in tensors.items()}


def _storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = np.frombuffer(file.read(8), "<i8")
    return np.frombuffer(file.read(int(count) * dtype.itemsize), dtype)

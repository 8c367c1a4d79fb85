"""Reader for PyTorch weight files, without PyTorch and without executing code from the pickle.

Both formats of `torch.save` (torch/serialization.py) are read:

* before version 1.6 (`_legacy_save`): three pickles (magic number, protocol version, system information), the pickled
  dictionary of tensors, the pickled list of storage keys, then for each storage the number of elements (int64) and the
  elements;
* since then (`_save`): a zip file with the pickled dictionary in `<name>/data.pkl` and the elements of each storage in
  `<name>/data/<key>`.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ...data_manifests.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import keras
    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES: dict[str, np.dtype[Any]] = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Tensor:
    """Location of a tensor: key and dtype of its storage, first element, shape, and strides in elements."""

    key: str
    dtype: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @classmethod
    def placed(
        cls, storage: tuple[Any, ...], offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
    ) -> _Tensor:
        """Replace PyTorch's function that rebuilds a tensor."""
        _, name, key, *_rest = storage
        return cls(key, DTYPES[name], offset, shape, strides)

    def of(self, content: NDArray[Any]) -> NDArray[Any]:
        """Return the elements of the tensor, taken from those of its storage.

        Raises:
            ValueError: the tensor reaches beyond its storage.

        """
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if not 0 <= self.offset <= last < len(content) or min(self.strides, default=0) < 0:
            message = f"a tensor of shape {self.shape} reaches beyond its storage of {len(content):,} elements"
            raise ValueError(message)
        steps = [stride * content.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(content[self.offset :], self.shape, steps).copy()


class _Unpickler(pickle.Unpickler):
    """Unpickler that resolves four names, none of which executes anything, and refuses all others."""

    KNOWN = {  # noqa: RUF012 - not changed
        ("collections", "OrderedDict"): OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _Tensor.placed,
        ("torch", "FloatStorage"): "FloatStorage",
        ("torch", "LongStorage"): "LongStorage",
    }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - the base class's signature
        """Return the replacement for a global name.

        Raises:
            pickle.UnpicklingError: the name is not needed for tensors.

        """
        try:
            return self.KNOWN[module, name]
        except KeyError:
            message = f"it refers to {module}.{name}, which tensors do not need"
            raise pickle.UnpicklingError(message) from None

    def persistent_load(self, pid: Any) -> Any:  # noqa: ANN401 - as above
        """Return the description of a storage unchanged."""
        return pid


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a weights file by name.

    Args:
        path: file written by `torch.save` from a dictionary of tensors.

    Raises:
        DataError: the file has a different format, or contains anything but float32 and int64 tensors.

    """
    read = _read_zip if zipfile.is_zipfile(path) else _read_legacy
    with path.open("rb") as file:
        try:
            return read(file)
        except (
            pickle.UnpicklingError, zipfile.BadZipFile, EOFError, KeyError, ValueError, TypeError, AttributeError,
        ) as fault:  # fmt: skip
            message = f"{path} contains no readable weights ({fault}); expected tensors stored by torch.save."
            raise DataError(message) from fault


def _read_zip(file: BinaryIO) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(file) as archive:
        pickled = next((name for name in archive.namelist() if name.endswith("/data.pkl")), "")
        with archive.open(pickled) as content:
            tensors: dict[str, _Tensor] = _Unpickler(content).load()
        folder = pickled.removesuffix(".pkl")
        keys = {tensor.key: tensor.dtype for tensor in tensors.values()}
        storages = {key: np.frombuffer(archive.read(f"{folder}/{key}"), dtype) for key, dtype in keys.items()}
    return {name: tensor.of(storages[tensor.key]) for name, tensor in tensors.items()}


def _read_legacy(file: BinaryIO) -> dict[str, NDArray[Any]]:
    if _Unpickler(file).load() != MAGIC:
        message = "its first bytes are not those of such a file"
        raise ValueError(message)
    for _ in ("protocol version", "system information"):
        _Unpickler(file).load()
    tensors: dict[str, _Tensor] = _Unpickler(file).load()
    keys: list[str] = _Unpickler(file).load()
    dtypes = {tensor.key: tensor.dtype for tensor in tensors.values()}
    storages = {key: _storage(file, dtypes[key]) for key in keys}
    return {name: tensor.of(storages[tensor.key]) for name, tensor in tensors.items()}


def _storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = np.frombuffer(file.read(8), "<i8")
    return np.frombuffer(file.read(int(count) * dtype.itemsize), dtype)


def layer_weights(layer: keras.Layer, name: str, tensors: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """Return the weights of a Keras layer in its order and layout.

    Args:
        layer: convolution, depthwise convolution, fully connected layer or batch normalisation.
        name: name of the module in PyTorch.
        tensors: tensors by name, from `read_tensors`.

    Raises:
        KeyError: there are no tensors of this module.

    """
    from keras import layers

    if isinstance(layer, layers.BatchNormalization):
        return [tensors[f"{name}.{kind}"] for kind in ("weight", "bias", "running_mean", "running_var")]
    kernel = tensors[f"{name}.weight"]
    if isinstance(layer, layers.Dense):
        return [kernel.T, tensors[f"{name}.bias"]]
    # PyTorch: (out, in, height, width). For depthwise kernels `in` is 1, and Keras expects (height, width, out, 1).
    order = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
    return [np.transpose(kernel, order)]

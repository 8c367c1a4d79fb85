"""Weight files in PyTorch's formats, written without PyTorch."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WriteZip = "Callable[[Path, dict[str, np.ndarray]], Path]"
NAMES = {"_rebuild_tensor_v2": "torch._utils", "FloatStorage": "torch", "LongStorage": "torch"}


class FloatStorage:
    """Class with the name of PyTorch's."""


class LongStorage:
    """Class with the name of PyTorch's."""


class _Storage:
    """Stand-in for a storage; its type is written as a global name."""

    def __init__(self, key: str, content: np.ndarray[Any, Any]) -> None:
        kind = LongStorage if content.dtype == np.int64 else FloatStorage
        self.value = ("storage", kind, key, "cpu", content.size)


class _Tensor:
    """Object that is pickled as a call of PyTorch's function that rebuilds a tensor."""

    def __init__(self, key: str, content: np.ndarray[Any, Any]) -> None:
        strides = tuple(stride // content.itemsize for stride in np.ascontiguousarray(content).strides)
        self.arguments = (_Storage(key, content), 0, content.shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_tensor_v2, self.arguments


def _rebuild_tensor_v2(*_: object) -> None:
    """Function with the name of PyTorch's."""


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:  # noqa: ANN401 - the base class's signature
        return obj.value if isinstance(obj, _Storage) else None


@pytest.fixture
def write_torch_zip() -> Callable[[Path, dict[str, np.ndarray[Any, Any]]], Path]:
    """Function that writes tensors as `torch.save` does since version 1.6."""
    return written_as_zip


def written_as_zip(path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write tensors into a zip file: a pickle with names of this module replaced by PyTorch's, and their elements."""
    contents = dict(zip(map(str, range(len(tensors))), tensors.values(), strict=True))
    pickled = io.BytesIO()
    named = OrderedDict((name, _Tensor(key, contents[key])) for name, key in zip(tensors, contents, strict=True))
    _Pickler(pickled, protocol=2).dump(named)
    text = pickled.getvalue()
    for name, module in NAMES.items():
        text = text.replace(f"c{__name__}\n{name}".encode(), f"c{module}\n{name}".encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{path.stem}/data.pkl", text)
        for key, content in contents.items():
            archive.writestr(f"{path.stem}/data/{key}", np.ascontiguousarray(content).tobytes())
    return path

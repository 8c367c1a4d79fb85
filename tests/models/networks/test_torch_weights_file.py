"""Reader of PyTorch weight files: no PyTorch needed, and no code from the pickle is executed."""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from planktonbench import DataError
from planktonbench.models.networks.torch_weights_file import MAGIC, read_tensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class TorchPickler(pickle.Pickler):
    """Pickler in the format of `torch.save` before 1.6: global names as text, storages by persistent id."""

    def persistent_id(self, obj: Any) -> Any:  # noqa: ANN401 - the base class's signature
        """Return the description of a storage."""
        return obj.value if isinstance(obj, Storage) else None


class Storage:
    """Stand-in for a storage; its type is written as a global name."""

    def __init__(self, key: str, count: int) -> None:
        self.value = ("storage", FloatStorage, key, "cpu", count, None)


class FloatStorage:
    """Class with the name of PyTorch's."""


class Tensor:
    """Object that is pickled as a call of PyTorch's function that rebuilds a tensor."""

    def __init__(self, *arguments: object) -> None:
        self.arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the function and its arguments."""
        return _rebuild_tensor_v2, self.arguments


def _rebuild_tensor_v2(*_: object) -> None:
    """Function with the name of PyTorch's."""


class Harm:
    """Object whose unpickling would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return a function that must not run."""
        return os.system, ("echo harm",)


def written(path: Path, tensors: object, storages: dict[str, np.ndarray[Any, Any]]) -> Path:
    """Write a file in PyTorch's old format, with names of this module replaced by PyTorch's."""
    file = io.BytesIO()
    for value in (MAGIC, 1001, {"little_endian": True}):
        pickle.dump(value, file, protocol=2)
    body = io.BytesIO()
    TorchPickler(body, protocol=2).dump(tensors)
    here = __name__.encode()
    text = body.getvalue().replace(b"c" + here + b"\n_rebuild", b"ctorch._utils\n_rebuild")
    file.write(text.replace(b"c" + here + b"\nFloatStorage", b"ctorch\nFloatStorage"))
    pickle.dump(list(storages), file, protocol=2)
    for content in storages.values():
        file.write(struct.pack("<q", content.size) + content.astype("<f4").tobytes())
    path.write_bytes(file.getvalue())
    return path


def test_offset_and_strides_are_applied(tmp_path: Path) -> None:
    """A transposed slice of a storage is read correctly."""
    content = np.arange(24, dtype=np.float32)
    tensor = Tensor(Storage("7", 24), 2, (3, 4), (1, 3), False, OrderedDict())  # noqa: FBT003 - PyTorch's
    path = written(tmp_path / "weights.pth", OrderedDict(kernel=tensor), {"7": content})

    assert (read_tensors(path)["kernel"] == content[2:14].reshape(4, 3).T).all()


def test_no_code_from_the_pickle_is_executed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that refers to a command is refused, and the message names it."""
    path = written(tmp_path / "harm.pth", {"kernel": Harm()}, {})

    with pytest.raises(DataError, match=r"refers to (posix|nt)\.system, which tensors do not need"):
        read_tensors(path)
    assert "harm" not in capfd.readouterr().out


@pytest.mark.parametrize(("offset", "strides"), [(20, (1, 3)), (-1, (1, 3)), (20, (-1, -3))])
def test_tensors_beyond_their_storage_are_refused(tmp_path: Path, offset: int, strides: tuple[int, int]) -> None:
    """Memory outside the storage is not read."""
    tensor = Tensor(Storage("7", 24), offset, (3, 4), strides, False, OrderedDict())  # noqa: FBT003 - PyTorch's
    path = written(tmp_path / "weights.pth", OrderedDict(kernel=tensor), {"7": np.zeros(24)})

    with pytest.raises(DataError, match="reaches beyond its storage of 24 elements"):
        read_tensors(path)


def test_both_formats_are_read(
    tmp_path: Path, write_torch_zip: Callable[[Path, dict[str, np.ndarray[Any, Any]]], Path]
) -> None:
    """The zip files of newer versions are read, too."""
    tensors = {"kernel": np.arange(12, dtype=np.float32).reshape(3, 4), "count": np.array([7], np.int64)}
    found = read_tensors(write_torch_zip(tmp_path / "weights.pth", tensors))

    assert list(found) == ["kernel", "count"]
    assert all(np.array_equal(found[name], tensor) for name, tensor in tensors.items())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", pickle.dumps(1, protocol=2), b"\x80\x02]q\x00."])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file, an incomplete zip file and other pickles are refused."""
    path = tmp_path / "other.pth"
    path.write_bytes(content)

    with pytest.raises(DataError, match=r"expected tensors stored by torch\.save"):
        read_tensors(path)

"""Findings about a data set that are stored in a results folder, so that the report needs no data."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ...data_manifests.errors import DataError
from ...data_manifests.files.atomic_writes import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class StoredFindings:
    """Findings about a data set as stored in a results folder.

    Attributes:
        path: JSON file with data_sha256 and the findings; it need not exist.
        folder: name of the folder of such files.
        again: what the next run does if the file is missing, for a message.

    """

    path: Path
    folder: ClassVar[str]
    again: ClassVar[str]

    @classmethod
    def of(cls, out: Path, dataset: str) -> Self:
        """Return the findings about a data set in a results folder."""
        return cls(out / cls.folder / f"{dataset}.json")

    @cached_property
    def content(self) -> dict[str, Any]:
        """The stored JSON object; empty if there is no file.

        Raises:
            DataError: the file cannot be read.

        """
        try:
            content: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as fault:
            message = f"{self.path} cannot be read: {fault}. Delete it; the next run {self.again} again."
            raise DataError(message) from fault
        return content

    def matches(self, data_sha256: str) -> bool:
        """Return whether the findings are about these data."""
        return self.content.get("data_sha256") == data_sha256

    def store(self, data_sha256: str, findings: Mapping[str, Any]) -> None:
        """Write the findings about some data."""
        text = json.dumps({"data_sha256": data_sha256, **findings}) + "\n"
        atomic_write(self.path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

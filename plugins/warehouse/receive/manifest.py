"""Manifests: what an agency says a delivery consists of. The format is described in docs/how-to/deliver-files.md."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from warehouse.receive.errors import ArrivalFault

MOST_BYTES = 1 << 20
SUFFIX = "manifest.json"


class _Part(BaseModel):
    """Base of a manifest's parts. Keys we do not know are left to the agency."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class ManifestFile(_Part):
    """One file of a delivery: its name, size in bytes, SHA-256 in hexadecimal and, where told, its rows without the header."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\\]+$")]
    bytes: int = Field(ge=0)
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]
    rows: int | None = Field(default=None, ge=0)


class Manifest(_Part):
    """What a delivery consists of, and the night it is for."""

    feed: str
    night: date
    files: Annotated[list[ManifestFile], Field(min_length=1)]

    @field_validator("files")
    @classmethod
    def _names_differ(cls, files: list[ManifestFile]) -> list[ManifestFile]:
        if len({file.name for file in files}) < len(files):
            raise ValueError("a file is named twice")
        return files


def is_manifest(name: str) -> bool:
    """Whether a file of this name is a manifest: `manifest.json`, `<anything>.manifest.json` or `<anything>_manifest.json`."""
    lower = name.lower()
    return lower == SUFFIX or lower.endswith((f".{SUFFIX}", f"_{SUFFIX}", f"-{SUFFIX}"))


def read(content: bytes, name: str, feed: str) -> Manifest:
    """The manifest in a file.

    Raises:
        ArrivalFault: it is not a manifest, or is that of another feed.
    """
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ArrivalFault("manifest", f"{name} is not a manifest: {place}: {first['msg']}; send it again") from None
    if manifest.feed != feed:
        raise ArrivalFault("manifest", f"{name} is the manifest of another feed than {feed}; check the folder it was sent to")
    return manifest

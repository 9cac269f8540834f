"""Media types as callers write them, and as every API takes them."""

from collections.abc import Mapping

# No registered names, but written as often as the registered ones.
USUAL: Mapping[str, str] = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-png": "image/png",
    "application/x-pdf": "application/pdf",
}


def plain(mime_type: str) -> str:
    """Without parameters, in lower case, by its registered name: ``IMAGE/JPG; q=1`` is
    ``image/jpeg``. Empty where there is none."""
    kind = mime_type.partition(";")[0].strip().lower()
    return USUAL.get(kind, kind)

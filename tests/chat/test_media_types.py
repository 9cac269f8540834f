"""Media types as every API takes them."""

import pytest

from gateway.chat.media_types import plain


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("image/png", "image/png"),
        ("image/png;charset=utf-8", "image/png"),
        ("text/plain ; charset=utf-8; format=flowed", "text/plain"),
        ("application/pdf;name=a.pdf", "application/pdf"),
        ("application/x-pdf", "application/pdf"),
        (" IMAGE/PNG ", "image/png"),
        ("image/jpg", "image/jpeg"),
        ("Image/JPG; q=1", "image/jpeg"),
        ("image/x-png", "image/png"),
        ("image/pjpeg", "image/jpeg"),
        ("image/svg+xml", "image/svg+xml"),
        ("", ""),
        (";base64", ""),
    ],
)
def test_a_media_type_is_told_by_its_registered_name_alone(written: str, taken: str) -> None:
    assert plain(written) == taken

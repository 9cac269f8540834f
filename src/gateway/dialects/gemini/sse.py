"""How Google frames the events of a stream: lines end in CR LF.

https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent, as recorded. The
Go client splits what it reads at once by one kind of line end only, so both must not be mixed.
"""

END = b"\r\n\r\n"


def write_event(data: bytes) -> bytes:
    """With the space after ``data:``, which google-genai for Python asks for."""
    return b"data: " + data + END

"""Which version this is."""

from gateway import __version__ as VERSION  # noqa: N812 - it is one

__all__ = ["VERSION"]

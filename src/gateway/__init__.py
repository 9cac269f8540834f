"""The product: everything between a caller's bytes and a provider's, not how they come in."""

__version__ = "0.1.0"

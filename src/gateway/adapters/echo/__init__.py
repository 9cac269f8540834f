"""The built-in provider: answers deterministically, in OpenAI's dialects, and says it is an echo.

It makes a first run, a test or a demo possible without an account: it streams at reading speed,
calls tools, honours schemas, stop sequences and token limits, and embeds. It is no model.
"""

from gateway.adapters.echo.transport import SCHEME, EchoTransport

__all__ = ["SCHEME", "EchoTransport"]

"""A gateway that runs elsewhere: its address, the key to it, and why it does not answer."""

import os
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from handler.cli.trouble import Trouble
from handler.local_guard import is_loopback

CALLER_KEY, ADMIN_KEY = "SLUICEGATE_API_KEY", "SLUICEGATE_ADMIN_KEY"


def base_of(url: str) -> str:
    """The gateway's own address, however much of a path was pasted behind it."""
    full = url if "://" in url else f"http://{url}"
    if "@" in full.partition("://")[2].partition("/")[0]:  # it is not said back
        raise Trouble(f"--url: leave out the user and the password; a key goes into {ADMIN_KEY}")
    try:
        parts = urlsplit(full)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise Trouble(f"--url {url}: must be an address such as http://127.0.0.1:8000")
    return full.partition("/gateway/")[0].rstrip("/").removesuffix("/api")


def client_for(base: str, timeout: httpx.Timeout) -> httpx.AsyncClient:
    """A proxy of the environment is no way to this machine itself."""
    try:
        return httpx.AsyncClient(base_url=base, timeout=timeout, trust_env=not is_loopback(base))
    except httpx.InvalidURL as error:
        raise unreachable(base, error) from error


def bearer(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def key_in(variable: str) -> str | None:
    """A gateway key that the environment holds. What is no header's text is refused, not shown."""
    key = os.environ.get(variable, "").strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise Trouble(f"{variable} holds characters that no key has; set it to the key alone")
    return key or None


def unreachable(base: str, error: httpx.HTTPError | httpx.InvalidURL) -> Trouble:
    """Why no answer came, and the fix."""
    if (reason := _tls(error)) is not None:
        return Trouble(_untrusted(base, reason))
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Trouble(
            f"no gateway answers at {base}; start one with `sluicegate serve`, or leave out --url"
        )
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return Trouble(f"the answer of {base} broke off: {error}")
    if isinstance(error, httpx.TimeoutException):
        return Trouble(f"{base} took the request and did not answer in time; try again")
    return Trouble(f"{base}: {str(error) or type(error).__name__}")


def _tls(error: BaseException | None) -> str | None:
    """What TLS said: httpx and httpcore wrap it, each once."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return getattr(error, "verify_message", "") or error.reason or str(error)
        error = error.__cause__ or error.__context__
    return None


def _untrusted(base: str, reason: str) -> str:
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return f"{base} does not speak TLS; is it http:// and not https://?"
    return (
        f"{base} is not trusted: {reason}; check the name in --url, or say whose certificates to "
        "trust: export SSL_CERT_FILE=CA.pem"
    )


def kind_of(headers: Mapping[str, str]) -> str:
    """What kind of answer it was that could not be read."""
    kind = headers.get("content-type", "").partition(";")[0]
    return f"a body of type {kind!r}" if kind else "a body of no type"

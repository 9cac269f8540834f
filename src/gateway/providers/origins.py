"""Where a target's calls go: what its secret is bound to."""

from urllib.parse import urlsplit

from gateway.errors import Unavailable
from gateway.providers.catalog import PROVIDERS
from gateway.routing.endpoint import Target

_USUAL_PORTS = {"https": 443, "http": 80}


def base_url_of(target: Target) -> str:
    """Raises Unavailable for a target that another program wrote and this one cannot call."""
    provider = PROVIDERS.get(target.provider)
    if provider is None:
        raise Unavailable(f"the target names an unknown provider {target.provider!r}")
    base_url = (target.base_url or provider.base_url).rstrip("/")
    if not base_url:
        raise Unavailable(f"a target at {provider.name!r} needs a base_url")
    return base_url.removesuffix(provider.base_path) + provider.base_path


def origin_of(url: str) -> str:
    """``https://api.x.ai`` of ``https://API.x.ai:443/v1``: scheme, host and unusual port."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise Unavailable(f"the target's base_url is no URL: {error}") from error
    host = f"[{host}]" if ":" in host else host
    shown = "" if port is None or port == _USUAL_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"

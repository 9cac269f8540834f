"""Where a raw call goes: below its endpoint's own provider, and nowhere else. No I/O."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, unquote_to_bytes, urljoin, urlsplit

from gateway.admission.keys import PREFIX
from gateway.errors import BadRequest, GatewayError
from gateway.providers.catalog import PROVIDERS
from gateway.providers.origins import base_url_of, origin_of
from gateway.providers.provider import Terms
from gateway.routing.endpoint import Target

LONGEST_NAME = 4  # segments of a path that an endpoint's name may be spelled in
DEEPEST = 4  # times that a path may be percent-encoded, one upon the other
# What has no place in the path or the query of a request line (RFC 3986, 3.3 and 3.4).
_NOT_IN_PATH = re.compile(rb"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]")
_NOT_IN_QUERY = re.compile(rb"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:/")
_GATEWAY_KEY = re.compile(PREFIX + "[0-9A-Za-z]{20}")
# Where APIs look for a key in a query, without case, dashes and underscores.
_KEY_MEMBERS = frozenset(
    {"key", "apikey", "xapikey", "xgoogapikey", "accesstoken", "authorization", "subscriptionkey"}
)
_PLAIN_NAME = re.compile(r"[\w.\-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what stands behind ``/gateway/proxy/``: ``spelled`` is the endpoint's name as
    it was written, ``path`` what follows it."""

    endpoint: str
    spelled: str
    path: str


def readings(behind: str) -> Iterator[Reading]:
    """The shortest name first. A slash within a name may be written as ``%2F``."""
    segments = behind.split("/", LONGEST_NAME)
    for count in range(1, len(segments)):
        spelled = "/".join(segments[:count])
        yield Reading(unquote(spelled), spelled, "/".join(segments[count:]))


def root_of(target: Target) -> str:
    """The base URL less the last segment of its path, as with MLflow: ``…/v1`` is for the caller to
    say."""
    parts = urlsplit(base_url_of(target))
    return f"{parts.scheme}://{parts.netloc}{parts.path.rpartition('/')[0]}"


def url_at(target: Target, path: str, query: str) -> str:
    """``path``: a checked one. Raises BadRequest should it lead away from the provider even so."""
    url = f"{root_of(target)}/{path}" + (f"?{query}" if query else "")
    if origin_of(url) != origin_of(base_url_of(target)):
        raise BadRequest(None, "the path leads away from the provider", code="bad_path")
    return url


def checked_path(path: str) -> str:
    """As it can be sent. Looks beneath every encoding, since the provider may undo more than one.

    Raises BadRequest.
    """
    sent = layer = _sendable(path, _NOT_IN_PATH)
    for _ in range(DEEPEST):
        layer = unicodedata.normalize("NFKC", layer)  # some servers fold what only looks like a dot
        if problem := _problem(layer):
            raise BadRequest(None, f"the path {problem}", code="bad_path")
        try:
            beneath = unquote_to_bytes(layer).decode()
        except UnicodeDecodeError:
            problem = "the path holds bytes that are no UTF-8"
            raise BadRequest(None, problem, code="bad_path") from None
        if beneath == layer:
            return sent
        layer = beneath
    raise BadRequest(None, "the path is encoded too many times over", code="bad_path")


def _problem(path: str) -> str | None:
    segments = path.split("/")
    if _CONTROL.search(path) or "\\" in path:
        return "holds a control character or a backslash"
    if any(segment == "" for segment in segments[:-1]):
        return "holds an empty segment ('//')"
    if any(_is_dots(segment) for segment in segments):
        return "holds a segment of dots"
    if _SCHEME.match(path):
        return "begins with a scheme"
    if _GATEWAY_KEY.search(path):
        return "holds a gateway key"
    return None


def _is_dots(segment: str) -> bool:
    """``..;x`` too: some servers cut parameters off before they look."""
    return set(segment.partition(";")[0].strip()) == {"."}


def kept_query(query: str) -> tuple[str, frozenset[str]]:
    """The caller's query without what holds a key, which a provider must not see: it gets the
    endpoint's own. The second: what was left out, by name."""
    kept, dropped = [], set()
    for member in query.split("&"):
        name = unquote(member.partition("=")[0])
        plain = name.lower().replace("-", "").replace("_", "")
        if plain in _KEY_MEMBERS or _GATEWAY_KEY.search(unquote(unquote(member))):
            dropped.add(f"query.{name if _PLAIN_NAME.fullmatch(name) else '?'}")
        else:
            kept.append(member)
    return _sendable("&".join(kept), _NOT_IN_QUERY), frozenset(dropped)


def holds_gateway_key(text: str) -> bool:
    return _GATEWAY_KEY.search(text) is not None


def _sendable(text: str, forbidden: re.Pattern[bytes]) -> str:
    """Percent-encoded where it is not: some front doors hand paths over decoded."""
    raw = text.encode("utf-8", "surrogateescape")
    return forbidden.sub(lambda found: quote(found[0], safe="").encode(), raw).decode("ascii")


def terms_at(target: Target, url: str) -> Terms:
    """The terms of the API that lies nearest to this path: a provider may offer two."""
    provider = PROVIDERS[target.provider]
    base = urlsplit(base_url_of(target)).path
    path = urlsplit(url).path
    if not path.startswith(base + "/"):
        return provider.terms
    below = path.removeprefix(base)
    near = {dialect: _nearness(below, at) for dialect, at in provider.speaks.items()}
    nearest = max(near, key=lambda dialect: near[dialect])
    return provider.terms_in(nearest) if near[nearest] else provider.terms


def _nearness(path: str, other: str) -> int:
    """How much of its way is that of ``other``; 0 where it is not even in the same folder."""
    if path == other:
        return len(other) + 1
    folder = other.rpartition("/")[0] + "/"
    return len(folder) if path.startswith(folder) else 0


def within_gateway(location: str, url: str, root: str, own: str) -> str | None:
    """A provider's Location as a path of the gateway's; None where it leads away from the root.

    ``url``: what was asked for; ``own``: where the root is with us. Elsewhere the caller would take
    its gateway key along.
    """
    try:
        absolute = urljoin(url, location)
        parts, top = urlsplit(absolute), urlsplit(root)
        if origin_of(absolute) != origin_of(root) or not parts.path.startswith(top.path + "/"):
            return None
        path = checked_path(parts.path.removeprefix(top.path + "/"))
    except (ValueError, GatewayError):
        return None
    query, _ = kept_query(parts.query)
    return f"{own}/{path}" + (f"?{query}" if query else "")

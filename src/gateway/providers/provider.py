"""What there is to know of a provider: where it is, what it speaks, and on what terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from gateway.dialects import Dialect
from gateway.dialects.forms import ChatForm
from gateway.providers.quirks import NO_QUIRKS, Quirks

# What a model's name may hold as it stands, besides letters, digits, `.`, `-`, `_` and `~`.
PLAIN_IN_A_PATH = "/:@"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a call is taken: where its key stands, what headers it brings, and which of the
    caller's may come along, in the place of those.

    ``signed``: the AWS service that a call without a key is signed for, with credentials of the
    gateway's own.
    """

    key_header: str = "authorization"
    key_format: str = "Bearer {key}"
    headers: Mapping[str, str] = field(default_factory=dict)
    forwards: frozenset[str] = frozenset()
    signed: str | None = None


def _no_matter(model: str) -> None:
    del model


@dataclass(frozen=True, slots=True)
class Provider:
    """Where a provider is and how it is spoken to.

    ``base_url``: empty when only the target can know it; ``address``: its form then, what is to be
    filled in being in capitals.
    ``speaks``: dialect -> path below the base URL, where ``{model}`` stands for the model's name.
    The order matters: a call in none of these is translated into the first that will do.
    ``streams_at``: the paths of streams, where they are others.
    ``key_variables``: the environment variables that usually hold its key, best first; none
    means that it takes calls without one. ``base_url_variable``: one that usually moves it.
    ``base_path``: how every base URL of it ends, and so need not be written.
    ``terms``: those of every dialect but those in ``terms_of``. ``quirks_of``: what it does
    otherwise, by dialect; ``forms``: where what is translated for it must be written otherwise.
    ``better_in``: the dialect in which a model does more than in the others, so that a chat that is
    translated at all is translated into that one; None where it makes no difference.
    ``models``: how its model names begin, where that tells them from others'. ``example``: a model
    for a first try.
    """

    name: str
    base_url: str
    speaks: Mapping[Dialect, str]
    key_variables: tuple[str, ...] = ()
    base_url_variable: str | None = None
    base_path: str = ""
    address: str = ""
    streams_at: Mapping[Dialect, str] = field(default_factory=dict)
    terms: Terms = Terms()
    terms_of: Mapping[Dialect, Terms] = field(default_factory=dict)
    quirks_of: Mapping[Dialect, Quirks] = field(default_factory=dict)
    forms: Mapping[Dialect, ChatForm] = field(default_factory=dict)
    better_in: Callable[[str], Dialect | None] = _no_matter
    models: tuple[str, ...] = ()
    example: str = ""

    def terms_in(self, dialect: Dialect) -> Terms:
        return self.terms_of.get(dialect, self.terms)

    def quirks_in(self, dialect: Dialect) -> Quirks:
        return self.quirks_of.get(dialect, NO_QUIRKS)

    def path_to(self, dialect: Dialect, model: str, *, stream: bool) -> str:
        """Below the base URL; with a query where the provider wants one."""
        path = self.speaks[dialect]
        if stream:
            path = self.streams_at.get(dialect, path)
        return path.replace("{model}", _in_a_path(model))


def _in_a_path(model: str) -> str:
    """A model's name as a part of a URL's path, which it cannot leave.

    A segment of dots would lead elsewhere, also where its dots are quoted (RFC 3986, 6.2.2.2):
    quoted twice, it is a model that nobody has.
    """
    return "/".join(
        segment.replace(".", "%252E") if segment in (".", "..") else segment
        for segment in quote(model, safe=PLAIN_IN_A_PATH).split("/")
    )

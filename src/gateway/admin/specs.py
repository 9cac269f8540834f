"""An endpoint as a person writes it: in a file, on a command line, in a control-plane body."""

import difflib
import re
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from gateway.errors import BadRequest
from gateway.providers.addresses import refused_url
from gateway.providers.catalog import PROVIDERS
from gateway.routing.endpoint import Endpoint
from gateway.routing.items import read_endpoint

# First steps of our own paths: an endpoint of such a name could not be told from a route.
RESERVED = frozenset(
    ("anthropic", "api", "cohere", "gemini", "health", "mlflow", "openai", "proxy", "ready")
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,127}")


def _known_provider(name: str) -> str:
    if name in PROVIDERS:
        return name
    close = difflib.get_close_matches(name, PROVIDERS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"one of {', '.join(sorted(PROVIDERS))}"
    raise ValueError(f"unknown provider {name!r}; {hint}")


def _allowed_url(url: str) -> str:
    if why := refused_url(url):
        raise ValueError(why)
    return url.rstrip("/")


def _endpoint_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "must be letters, digits, '.', '_' or '-', at most 128, not beginning with a mark"
        )
    if name in RESERVED:
        raise ValueError(f"{name!r} is a word of the gateway's own paths; choose another name")
    return name


class Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class PriceSpec(Spec):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float | None = Field(default=None, ge=0)
    cache_write: float | None = Field(default=None, ge=0)


class TargetSpec(Spec):
    provider: Annotated[str, AfterValidator(_known_provider)]
    model: str = Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")
    secret: str | None = Field(default=None, pattern=r"^(env|file):[A-Za-z0-9_.\-]+$")
    weight: float = Field(default=1, gt=0, le=1_000_000)
    base_url: Annotated[str, AfterValidator(_allowed_url)] | None = None
    price: PriceSpec | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        provider = PROVIDERS[self.provider]
        if not (provider.base_url or self.base_url):
            raise ValueError(
                f"base_url is required for {self.provider}: it has no address of its own"
            )
        if self.secret is None and provider.key_variables and self.base_url is None:
            self.secret = f"env:{provider.key_variables[0]}"
        return self


class RetriesSpec(Spec):
    times: int = Field(default=0, ge=0, le=10)
    first_pause: float = Field(default=0.25, ge=0, le=60)
    longest_pause: float = Field(default=4, ge=0, le=60)


class TimeoutsSpec(Spec):
    first_content: float = Field(default=300, gt=0, le=3600)
    idle: float = Field(default=180, gt=0, le=3600)
    commit_after: float = Field(default=20, gt=0, le=3600)
    heartbeat: float = Field(default=15, gt=0, le=60)


class EndpointSpec(Spec):
    targets: list[TargetSpec] = Field(min_length=1, max_length=32)
    fallbacks: list[TargetSpec] = Field(default_factory=list, max_length=32)
    retries: RetriesSpec = RetriesSpec()
    timeouts: TimeoutsSpec = TimeoutsSpec()


class ManifestSpec(Spec):
    """A file of endpoints: name -> what it is."""

    endpoints: dict[Annotated[str, AfterValidator(_endpoint_name)], EndpointSpec]


_NAME_SPEC: TypeAdapter[str] = TypeAdapter(Annotated[str, AfterValidator(_endpoint_name)])


def endpoint_from(name: str, spec: Any, *, created: int = 0) -> Endpoint:
    """Raises BadRequest that names the field and the fix."""
    try:
        _NAME_SPEC.validate_python(name)
    except ValidationError as error:
        raise _refusal(error, "name") from error
    try:
        checked = EndpointSpec.model_validate(spec)
    except ValidationError as error:
        raise _refusal(error) from error
    return _endpoint(name, checked, created)


def endpoints_from(manifest: Any, *, created: int = 0) -> list[Endpoint]:
    """Every endpoint of a manifest. Raises BadRequest that names the field and the fix."""
    try:
        checked = ManifestSpec.model_validate(manifest)
    except ValidationError as error:
        raise _refusal(error) from error
    return [_endpoint(name, spec, created) for name, spec in checked.endpoints.items()]


def _endpoint(name: str, spec: EndpointSpec, created: int) -> Endpoint:
    return read_endpoint({"name": name, "created": created, **spec.model_dump()})


# Where pydantic's own words do not say what to do.
WORDS = {
    "missing": "is required",
    "extra_forbidden": "is no field here; endpoints.example.yaml shows those there are",
    "string_pattern_mismatch": "holds characters that it may not; endpoints.example.yaml has one",
}


def _refusal(error: ValidationError, name: str = "") -> BadRequest:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = name or "".join(
        f"[{step}]" if isinstance(step, int) else f".{step}"
        for step in first["loc"]
        if step != "[key]"  # pydantic's word for: the name itself
    ).lstrip(".")
    problem = WORDS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    more = error.error_count() - 1
    return BadRequest(field or None, problem + (f" (and {more} more)" if more else ""))

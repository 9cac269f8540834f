"""What is configured, as a person writes it: in a file, on a command line, in a request's body."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from gateway.admin.fields import (
    AllowEntry,
    Arn,
    BaseUrl,
    EndpointName,
    Moment,
    Name,
    ProviderName,
    SecretReference,
    SecretValue,
    Text,
)
from gateway.admin.words import refusal
from gateway.errors import Invalid
from gateway.providers.catalog import PROVIDERS, Provider
from gateway.providers.regions import region_of
from gateway.routing.endpoint import Endpoint, Target
from gateway.routing.items import read_endpoint


class Spec(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, hide_input_in_errors=True
    )


class PriceSpec(Spec):
    """US dollars per million tokens."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cache_read: float | None = Field(default=None, ge=0)
    cache_write: float | None = Field(default=None, ge=0)


class TargetSpec(Spec):
    """``secret``: ``vault:NAME``, or ``env:VARIABLE`` on a gateway of one machine."""

    provider: ProviderName
    model: str = Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")
    secret: SecretReference | None = None
    weight: float = Field(default=1, gt=0, le=1_000_000)
    base_url: BaseUrl | None = None
    price: PriceSpec | None = None
    dialect: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        provider = PROVIDERS[self.provider]
        spoken = [dialect.name for dialect in provider.speaks if dialect.chat]
        if self.dialect is not None and self.dialect not in spoken:
            raise ValueError(
                f"dialect must be one of those of {self.provider}: {', '.join(spoken)}"
            )
        if not (provider.base_url or self.base_url):
            form = provider.address and f"its form is {provider.address}"
            problem = form or "it has no address of its own"
            raise ValueError(f"base_url is required for {self.provider}: {problem}")
        return self

    @model_validator(mode="after")
    def _signed_for_aws_alone(self) -> Self:
        provider = PROVIDERS[self.provider]
        service = provider.terms.signed
        if service and not self.secret and region_of(self.base_url or "", service) is None:
            raise ValueError(
                f"base_url must be {provider.address}, with a region's name in it: without a "
                "secret, calls are signed, and for such an address alone"
            )
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
    strict: bool = False
    raw: bool = True


class KeySpec(Spec):
    role: Literal["caller", "admin"] = "caller"
    owner: Text | None = None
    tags: list[Text] = Field(default_factory=list, max_length=50)
    endpoints: list[Text] | None = Field(default=None, min_length=1, max_length=1000)
    expires: Moment | None = None
    disabled: bool = False
    principal: Arn | None = None

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.role == "admin" and self.endpoints is not None:
            raise ValueError("endpoints is for callers: an admin key calls no endpoint")
        return self


class SecretSpec(Spec):
    """``provider`` or ``base_url``: where the secret may go. No value: keep the one there is."""

    value: SecretValue | None = None
    provider: ProviderName | None = None
    base_url: BaseUrl | None = None


class SettingsSpec(Spec):
    allow_private: list[AllowEntry] = Field(default_factory=list, max_length=100)


class ManifestSpec(Spec):
    """A file of configuration: name -> what it is. What is left out stays as it is."""

    endpoints: dict[EndpointName, EndpointSpec] = Field(default_factory=dict)
    keys: dict[Name, KeySpec] = Field(default_factory=dict)
    secrets: dict[Name, SecretSpec] = Field(default_factory=dict)
    settings: SettingsSpec | None = None


Model = TypeVar("Model", bound=Spec)
_ENDPOINT_NAME: TypeAdapter[str] = TypeAdapter(EndpointName)
_PLAIN_NAME: TypeAdapter[str] = TypeAdapter(Name)


def checked(model: type[Model], spec: Any, place: str = "") -> Model:
    """Raises Invalid that names each field and its problem."""
    try:
        return model.model_validate(spec)
    except ValidationError as error:
        raise refusal(error, place) from None  # what it holds may be a secret


def checked_name(name: Any, *, of_endpoint: bool = False) -> str:
    try:
        return (_ENDPOINT_NAME if of_endpoint else _PLAIN_NAME).validate_python(name, strict=True)
    except ValidationError as error:
        raise refusal(error, "name") from None


UsualSecret = Callable[[Provider], str | None]


def usual_variable(provider: Provider) -> str | None:
    """Where the key of a target is that does not say: on one machine, in the usual variable."""
    return f"env:{provider.key_variables[0]}" if provider.key_variables else None


def checked_both(
    name: Any, model: type[Model], spec: Any, *, of_endpoint: bool
) -> tuple[str, Model]:
    """A name and what it is to be. Raises Invalid that names what is wrong with either."""
    faults: list[tuple[str | None, str]] = []
    try:
        name = checked_name(name, of_endpoint=of_endpoint)
    except Invalid as error:
        faults += [("name", "is required")] if name is None else error.faults
    try:
        told = checked(model, spec)
    except Invalid as error:
        raise Invalid([*faults, *error.faults]) from None
    if faults:
        raise Invalid(faults)
    return name, told


def endpoint_from(name: str, spec: Any, *, created: int = 0) -> Endpoint:
    """Raises Invalid that names the field and the fix."""
    found = checked(EndpointSpec, spec)
    return endpoint_of(checked_name(name, of_endpoint=True), found, created=created)


def endpoints_from(manifest: Any, *, created: int = 0) -> list[Endpoint]:
    """Every endpoint of a manifest. Raises Invalid that names the field and the fix."""
    found = checked(ManifestSpec, manifest).endpoints
    return [
        endpoint_of(name, spec, created=created, place=f"endpoints.{name}.")
        for name, spec in found.items()
    ]


def endpoint_of(
    name: str,
    spec: EndpointSpec,
    *,
    created: int,
    usual_secret: UsualSecret = usual_variable,
    place: str = "",
) -> Endpoint:
    """Raises Invalid for a fallback to itself. ``place``: where the endpoint stands."""

    def with_secret(target: Target) -> Target:
        if target.secret is not None or target.base_url is not None:
            return target
        return replace(target, secret=usual_secret(PROVIDERS[target.provider]))

    endpoint = read_endpoint({"name": name, "created": created, **spec.model_dump()})
    targets = tuple(map(with_secret, endpoint.targets))
    fallbacks = tuple(map(with_secret, endpoint.fallbacks))
    _refuse_twice(targets, fallbacks, place)
    return replace(endpoint, targets=targets, fallbacks=fallbacks)


def _refuse_twice(targets: tuple[Target, ...], fallbacks: tuple[Target, ...], place: str) -> None:
    """What was tried just before is no fallback; one of several targets may not have been."""
    tried = {_who(target) for target in targets} if len(targets) == 1 else set()
    for nth, fallback in enumerate(fallbacks):
        if _who(fallback) in tried:
            problem = "is tried already: nothing falls back to itself; to try again, set retries"
            raise Invalid([(f"{place}fallbacks[{nth}]", problem)])
        tried.add(_who(fallback))


def _who(target: Target) -> tuple[str | None, ...]:
    return target.provider, target.model, target.base_url, target.secret

"""An endpoint as a person writes it: what is taken, what is added, and what is refused by name."""

import math
from typing import Any

import pytest

from gateway.admin.fields import RESERVED
from gateway.admin.specs import endpoint_from, endpoints_from
from gateway.errors import BadRequest, Invalid
from gateway.providers.catalog import PROVIDERS
from gateway.routing.endpoint import Endpoint, Price, Retries, Target, Timeouts
from gateway.routing.items import read_endpoint, write_endpoint
from gateway.wire.json import Json, dumps, loads

GPT: Json = {"provider": "openai", "model": "gpt"}
NAME = "must be letters, digits, '.', '_' or '-', at most 128, not beginning with a mark"


def spec(**more: Any) -> Json:
    """An endpoint of one target, with this more said of the target."""
    return {"targets": [GPT | more]}


def test_the_least_that_can_be_said_is_enough() -> None:
    assert endpoint_from("e", spec(), created=5) == Endpoint(
        "e", (Target("openai", "gpt", "env:OPENAI_API_KEY"),), created=5
    )


WHOLE: Json = {
    "targets": [
        GPT | {"weight": 2, "secret": "file:team-a"},
        {
            "provider": "anthropic",
            "model": "claude",
            "weight": 0.5,
            "price": {"input": 3, "output": 15.5, "cache_read": 0, "cache_write": 3.75},
        },
    ],
    "fallbacks": [
        {"provider": "openai_compatible", "model": "m", "base_url": "http://127.0.0.1:1/v1/"}
    ],
    "retries": {"times": 2, "first_pause": 0.5, "longest_pause": 8},
    "timeouts": {"first_content": 60, "idle": 30, "commit_after": 5, "heartbeat": 10},
    "strict": True,
}


def test_all_that_can_be_said_is_taken() -> None:
    assert endpoint_from("e.1_b-C", WHOLE) == Endpoint(
        "e.1_b-C",
        (
            Target("openai", "gpt", "file:team-a", 2),
            Target(
                "anthropic", "claude", "env:ANTHROPIC_API_KEY", 0.5, None, Price(3, 15.5, 0, 3.75)
            ),
        ),
        (Target("openai_compatible", "m", base_url="http://127.0.0.1:1/v1"),),
        Retries(2, 0.5, 8),
        Timeouts(60, 30, 5, 10),
        strict=True,
    )


def test_a_target_may_say_in_which_dialect_it_is_called() -> None:
    told = endpoint_from("e", spec(dialect="openai_responses"))
    assert told.targets[0].dialect == "openai_responses"
    with pytest.raises(Invalid) as refused:
        endpoint_from("e", spec(dialect="gemini"))
    assert refused.value.message == (
        "targets[0]: dialect must be one of those of openai: openai_chat, openai_responses"
    )


@pytest.mark.parametrize("spec", [spec(), WHOLE])
def test_what_is_taken_survives_a_store(spec: Json) -> None:
    endpoint = endpoint_from("e", spec, created=7)
    assert read_endpoint(loads(dumps(write_endpoint(endpoint)))) == endpoint


@pytest.mark.parametrize(
    ("target", "secret"),
    [
        (GPT, "env:OPENAI_API_KEY"),
        (GPT | {"secret": None}, "env:OPENAI_API_KEY"),
        (GPT | {"secret": "env:MINE"}, "env:MINE"),
        # The provider's own key is not sent where the provider is not.
        (GPT | {"base_url": "https://proxy.example/v1"}, None),
        (GPT | {"base_url": "https://proxy.example/v1", "secret": "env:MINE"}, "env:MINE"),
        ({"provider": "ollama", "model": "m"}, None),
    ],
)
def test_a_target_without_a_secret_takes_its_providers_own(
    target: Json, secret: str | None
) -> None:
    assert endpoint_from("e", {"targets": [target]}).targets[0].secret == secret


@pytest.mark.parametrize("name", ["a", "A1", "x" * 128, "gpt-4.1-mini", "9_b", "demo"])
def test_a_good_name_is_taken(name: str) -> None:
    assert endpoint_from(name, spec()).name == name


@pytest.mark.parametrize(
    "name", ["", "x" * 129, ".a", "-a", "_a", "a/b", "a b", "a\n", "a\r\nx: y", "\u00e9", "a%2fb"]
)
def test_a_name_that_could_not_stand_in_a_path_or_a_header_is_refused(name: str) -> None:
    assert refusal(lambda: endpoint_from(name, spec())) == ("name", f"name: {NAME}")


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_name_that_is_a_path_of_ours_is_refused(name: str) -> None:
    assert refusal(lambda: endpoint_from(name, spec())) == (
        "name",
        f"name: {name!r} is a word of the gateway's own paths; choose another name",
    )


def refusal(work: Any) -> tuple[str | None, str]:
    with pytest.raises(BadRequest) as refused:
        work()
    return refused.value.field, refused.value.message


AN_OBJECT = "Input should be a valid dictionary or instance of"
CHARACTERS = "holds characters that it may not; endpoints.example.yaml has one"
UNKNOWN = "is no field here; endpoints.example.yaml shows those there are"


@pytest.mark.parametrize(
    ("wrong", "field", "problem"),
    [
        (None, None, f"{AN_OBJECT} EndpointSpec"),
        ([], None, f"{AN_OBJECT} EndpointSpec"),
        ({}, "targets", "is required"),
        ({"targets": []}, "targets", "List should have at least 1 item"),
        ({"targets": "gpt"}, "targets", "Input should be a valid list"),
        ({"targets": [GPT] * 33}, "targets", "List should have at most 32 items"),
        ({"targets": ["gpt"]}, "targets[0]", f"{AN_OBJECT} TargetSpec"),
        ({"targets": [{"model": "m"}]}, "targets[0].provider", "is required"),
        ({"targets": [{"provider": "openai"}]}, "targets[0].model", "is required"),
        (spec(model=""), "targets[0].model", "String should have at least 1 character"),
        (spec(model="m" * 257), "targets[0].model", "String should have at most 256 characters"),
        (spec(model="a b"), "targets[0].model", CHARACTERS),
        (spec(model="a\r\nx-evil: 1"), "targets[0].model", CHARACTERS),
        (spec(model="a\n"), "targets[0].model", CHARACTERS),
        (spec(model=5), "targets[0].model", "Input should be a valid string"),
        (spec(provider="opnai"), "targets[0].provider", "did you mean 'openai'?"),
        (spec(provider=5), "targets[0].provider", "Input should be a valid string"),
        (spec(secret="sk-live-123"), "targets[0].secret", CHARACTERS),
        (spec(secret="env:"), "targets[0].secret", CHARACTERS),
        (spec(secret="env:A\n"), "targets[0].secret", CHARACTERS),
        (spec(weight=0), "targets[0].weight", "Input should be greater than 0"),
        (spec(weight=-1), "targets[0].weight", "Input should be greater than 0"),
        (spec(weight=math.inf), "targets[0].weight", "Input should be a finite number"),
        (spec(weight=math.nan), "targets[0].weight", "Input should be a finite number"),
        (spec(weight="2"), "targets[0].weight", "Input should be a valid number"),
        (spec(wieght=2), "targets[0].wieght", UNKNOWN),
        (
            spec(base_url="http://169.254.169.254/v1"),
            "targets[0].base_url",
            "points at a metadata service (169.254.169.254)",
        ),
        (
            spec(base_url="http://u:p@h/"),
            "targets[0].base_url",
            "must not hold a user or a password: give the key as a secret",
        ),
        (
            {"targets": [{"provider": "azure", "model": "m"}]},
            "targets[0]",
            "base_url is required for azure: its form is https://NAME.openai.azure.com/openai/v1",
        ),
        (spec(price={"input": 1}), "targets[0].price.output", "is required"),
        (spec(price={"input": -1, "output": 1}), "targets[0].price.input", "greater than or equal"),
        (
            {"targets": [GPT], "fallbacks": [GPT, {"provider": "x", "model": "m"}]},
            "fallbacks[1].provider",
            "unknown provider 'x'",
        ),
        ({"targets": [GPT], "retries": {"times": 11}}, "retries.times", "less than or equal to 10"),
        ({"targets": [GPT], "retries": {"times": 1.5}}, "retries.times", "valid integer"),
        ({"targets": [GPT], "timeouts": {"idle": 0}}, "timeouts.idle", "greater than 0"),
        (
            {"targets": [GPT], "timeouts": {"heartbeat": 61}},
            "timeouts.heartbeat",
            "less than or equal to 60",
        ),
        ({"targets": [GPT], "name": "x"}, "name", UNKNOWN),
    ],
)
def test_what_is_wrong_is_refused_by_its_field(wrong: Any, field: str | None, problem: str) -> None:
    found, message = refusal(lambda: endpoint_from("e", wrong))
    assert found == field
    assert problem in message
    assert message.startswith(f"{field}: " if field else problem)


ANOTHER: Json = {"provider": "openai", "model": "gpt-2"}


@pytest.mark.parametrize(
    ("targets", "fallbacks", "place"),
    [
        ([GPT], [GPT], 0),
        ([GPT], [ANOTHER, GPT], 1),
        ([GPT], [ANOTHER, ANOTHER], 1),
        ([GPT], [GPT | {"weight": 5, "price": {"input": 1, "output": 1}}], 0),
        ([GPT, ANOTHER], [GPT, GPT], 1),
        ([GPT], [GPT | {"secret": "env:OPENAI_API_KEY"}], 0),  # the usual one, spelled out
    ],
)
def test_a_fallback_that_was_just_tried_is_refused(
    targets: list[Json], fallbacks: list[Json], place: int
) -> None:
    wrong = {"targets": targets, "fallbacks": fallbacks}
    field = f"fallbacks[{place}]"
    assert refusal(lambda: endpoint_from("e", wrong)) == (
        field,
        f"{field}: is tried already: nothing falls back to itself; to try again, set retries",
    )


@pytest.mark.parametrize(
    ("targets", "fallback"),
    [
        ([GPT], ANOTHER),
        ([GPT | {"secret": "env:A"}], GPT | {"secret": "env:B"}),
        ([GPT], GPT | {"secret": "env:ANOTHER_ACCOUNT"}),
        ([GPT], GPT | {"base_url": "https://proxy.example/v1"}),
        ([GPT, ANOTHER], GPT),  # which of the two was tried, chance decides
    ],
)
def test_a_fallback_that_differs_is_taken(targets: list[Json], fallback: Json) -> None:
    taken = endpoint_from("e", {"targets": targets, "fallbacks": [fallback]})
    assert len(taken.fallbacks) == 1


def test_every_fault_is_listed_with_its_field() -> None:
    with pytest.raises(Invalid) as refused:
        endpoint_from("e", {"targets": [GPT | {"weight": 0, "x": 1}], "retries": {"times": 11}})
    assert refused.value.faults == (
        ("targets[0].weight", "Input should be greater than 0"),
        ("targets[0].x", UNKNOWN),
        ("retries.times", "Input should be less than or equal to 10"),
    )
    assert (refused.value.field, refused.value.message) == (
        "targets[0].weight",
        "targets[0].weight: Input should be greater than 0 (and 2 more)",
    )


@pytest.mark.parametrize("price", [math.inf, math.nan, -math.inf])
@pytest.mark.parametrize("of", ["input", "output", "cache_read", "cache_write"])
def test_a_price_is_a_number_of_dollars(of: str, price: float) -> None:
    wrong = spec(price={"input": 1, "output": 1, of: price})
    assert refusal(lambda: endpoint_from("e", wrong))[0] == f"targets[0].price.{of}"


def test_a_key_in_the_place_of_a_reference_is_not_repeated() -> None:
    _, message = refusal(lambda: endpoint_from("e", spec(secret="sk-live-123", weight="sk-live-9")))
    assert "sk-live" not in message
    assert message.endswith("(and 1 more)")


def test_a_manifest_names_its_endpoints() -> None:
    manifest = {"endpoints": {"a": spec(), "b": spec(model="x")}}
    assert endpoints_from(manifest, created=5) == [
        endpoint_from("a", spec(), created=5),
        endpoint_from("b", spec(model="x"), created=5),
    ]
    assert endpoints_from({"endpoints": {}}) == []
    assert endpoints_from({}) == []


def test_a_manifest_with_several_errors_tells_the_first_and_how_many_more() -> None:
    manifest = {"endpoints": {"good": spec(), "a": spec(weight=0), "b": {}, "c": spec(model="")}}
    assert refusal(lambda: endpoints_from(manifest)) == (
        "endpoints.a.targets[0].weight",
        "endpoints.a.targets[0].weight: Input should be greater than 0 (and 2 more)",
    )


@pytest.mark.parametrize(
    ("manifest", "field"),
    [
        (None, None),
        ([], None),
        ({"endpoints": None}, "endpoints"),
        ({"endpoints": {}, "x": 1}, "x"),
        ({"endpoints": {"a": None}}, "endpoints.a"),
    ],
)
def test_what_is_no_manifest_is_refused(manifest: Any, field: str | None) -> None:
    assert refusal(lambda: endpoints_from(manifest))[0] == field


def test_a_bad_name_in_a_manifest_is_told_as_one() -> None:
    field, message = refusal(lambda: endpoints_from({"endpoints": {"a b": spec()}}))
    assert (field, message) == ("endpoints.a b", f"endpoints.a b: {NAME}")


@pytest.mark.parametrize("name", sorted(PROVIDERS))
def test_every_provider_can_be_a_target(name: str) -> None:
    target: Json = {"provider": name, "model": "m"}
    if not PROVIDERS[name].base_url:
        form = PROVIDERS[name].address or "https://host/v1"
        target["base_url"] = form.replace("REGION", "us-east-1")
    assert endpoint_from("e", {"targets": [target]}).targets[0].provider == name


BEDROCK: Json = {"provider": "bedrock", "model": "m"}


@pytest.mark.parametrize(
    "base_url",
    [
        "https://bedrock-runtime.REGION.amazonaws.com/openai/v1",
        "https://bedrock-mantle.us-east-1.api.aws/v1",
        "http://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        "https://proxy.example/openai/v1",
    ],
)
def test_what_is_to_be_signed_must_go_to_aws_and_name_a_region(base_url: str) -> None:
    field, message = refusal(
        lambda: endpoint_from("e", {"targets": [{**BEDROCK, "base_url": base_url}]})
    )
    assert field == "targets[0]"
    assert message == (
        "targets[0]: base_url must be https://bedrock-runtime.REGION.amazonaws.com/openai/v1, with "
        "a region's name in it: without a secret, calls are signed, and for such an address alone"
    )
    with_key = {**BEDROCK, "base_url": base_url, "secret": "vault:bedrock"}
    assert endpoint_from("e", {"targets": [with_key]}).targets[0].secret == "vault:bedrock"


def test_a_target_at_bedrock_without_a_base_url_is_told_its_form() -> None:
    _, message = refusal(lambda: endpoint_from("e", {"targets": [BEDROCK]}))
    assert message == (
        "targets[0]: base_url is required for bedrock: its form is "
        "https://bedrock-runtime.REGION.amazonaws.com/openai/v1"
    )

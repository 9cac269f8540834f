"""What may be signed for: AWS' own addresses, behind TLS, and of the service that is meant."""

import pytest

from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES
from gateway.providers.catalog import PROVIDERS
from gateway.providers.origins import base_url_of
from gateway.providers.regions import HOSTS, region_of
from gateway.routing.endpoint import Target


@pytest.mark.parametrize(
    ("url", "service", "region"),
    [
        ("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1", "bedrock", "us-east-1"),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", "bedrock", "us-east-1"),
        ("https://Bedrock-Runtime.EU-West-3.amazonaws.com./v1", "bedrock", "eu-west-3"),
        ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "bedrock", "us-gov-west-1"),
        ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/", "bedrock", "cn-north-1"),
        ("https://bedrock-runtime.eusc-de-east-1.amazonaws.eu", "bedrock", "eusc-de-east-1"),
        ("https://bedrock-runtime.us-east-1.api.aws", "bedrock", "us-east-1"),
        (
            "https://vpce-0a1b-2c3d.bedrock-runtime.us-east-2.vpce.amazonaws.com/openai/v1",
            "bedrock",
            "us-east-2",
        ),
        ("https://bedrock-mantle.us-west-2.api.aws/v1", "bedrock-mantle", "us-west-2"),
        ("https://bedrock-mantle.us-west-2.api.aws/anthropic/v1", "bedrock-mantle", "us-west-2"),
    ],
)
def test_an_address_of_awss_tells_its_region(url: str, service: str, region: str) -> None:
    assert region_of(url, service) == region
    (other,) = HOSTS.keys() - {service}
    assert region_of(url, other) is None


@pytest.mark.parametrize("service", [*HOSTS, "s3", ""])
@pytest.mark.parametrize(
    "url",
    [
        "http://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
        "https://bedrock-runtime.us-east-1.amazonaws.com.evil.example",
        "https://bedrock-runtime.us-east-1.evil.example",
        "https://evil.example/bedrock-runtime.us-east-1.amazonaws.com",
        "https://bedrock-runtime.us-east-1.amazonaws.com@evil.example",
        "https://evil.example?bedrock-runtime.us-east-1.amazonaws.com",
        "https://evil.bedrock-runtime.us-east-1.amazonaws.com",
        "https://evilbedrock-runtime.us-east-1.amazonaws.com",
        "https://bedrock-runtime.us-east-1xamazonaws.com",
        "https://bedrock-runtime..amazonaws.com",
        "https://bedrock-runtime.REGION.amazonaws.com",
        "https://bedrock-runtime.amazonaws.com",
        "https://bedrock.us-east-1.amazonaws.com",
        "https://s3.us-east-1.amazonaws.com",
        "https://api.openai.com/v1",
        "https://127.0.0.1:4566",
        "http://[::1",
        "bedrock-runtime.us-east-1.amazonaws.com",
        "",
    ],
)
def test_no_other_does(url: str, service: str) -> None:
    assert region_of(url, service) is None


@pytest.mark.parametrize("name", ["bedrock", "bedrock_mantle", "bedrock_anthropic"])
def test_bedrocks_rows_say_the_form_of_their_addresses(name: str) -> None:
    row = PROVIDERS[name]
    address = row.address.replace("REGION", "eu-central-1")
    assert row.terms.signed in HOSTS
    assert region_of(address, row.terms.signed or "") == "eu-central-1"
    assert base_url_of(Target(name, "m", base_url=address)) == address
    without = address.removesuffix(row.base_path)
    assert base_url_of(Target(name, "m", base_url=without)) == address


def test_bedrock_is_asked_where_its_guide_says() -> None:
    """Bedrock user guide: Responses API, Chat Completions, Anthropic Messages API."""
    asked = {
        (name, dialect.name): base_url_of(Target(name, "m", base_url=row.address))
        + row.path_to(dialect, "m", stream=True)
        for name, row in PROVIDERS.items()
        if row.terms.signed
        for dialect in row.speaks
        if dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES)
    }
    runtime, mantle = (
        "https://bedrock-runtime.REGION.amazonaws.com",
        "https://bedrock-mantle.REGION.api.aws",
    )
    assert asked == {
        ("bedrock", "openai_chat"): f"{runtime}/openai/v1/chat/completions",
        ("bedrock", "openai_responses"): f"{runtime}/openai/v1/responses",
        ("bedrock_mantle", "openai_chat"): f"{mantle}/v1/chat/completions",
        ("bedrock_mantle", "openai_responses"): f"{mantle}/v1/responses",
        ("bedrock_anthropic", "anthropic_messages"): f"{mantle}/anthropic/v1/messages",
    }


def test_some_models_are_served_below_another_path_of_mantles() -> None:
    base_url = "https://bedrock-mantle.us-east-1.api.aws/openai/v1"
    assert base_url_of(Target("bedrock_mantle", "m", base_url=base_url)) == base_url

"""Where a target's calls go: what its secret is bound to."""

import pytest

from gateway.errors import Unavailable
from gateway.providers.catalog import PROVIDERS
from gateway.providers.origins import base_url_of, origin_of
from gateway.routing.endpoint import Target


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.x.ai", "https://api.x.ai"),
        ("https://api.x.ai/", "https://api.x.ai"),
        ("https://api.x.ai/v1/chat?a=b#c", "https://api.x.ai"),
        ("HTTPS://API.X.AI:443/v1", "https://api.x.ai"),
        ("https://api.x.ai./v1", "https://api.x.ai"),
        ("https://api.x.ai:443", "https://api.x.ai"),
        ("https://api.x.ai:0443", "https://api.x.ai"),
        ("https://api.x.ai:", "https://api.x.ai"),
        ("https://api.x.ai:80", "https://api.x.ai:80"),
        ("https://api.x.ai:8443", "https://api.x.ai:8443"),
        ("http://api.x.ai", "http://api.x.ai"),
        ("http://api.x.ai:80/v1", "http://api.x.ai"),
        ("http://api.x.ai:443", "http://api.x.ai:443"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434"),
        ("http://[::1]:8080/v1", "http://[::1]:8080"),
        ("http://[FD00::1]/v1", "http://[fd00::1]"),
        ("https://user:pass@api.x.ai/v1", "https://api.x.ai"),
        ("https://api.x.ai@evil.example/v1", "https://evil.example"),
        ("https://evil.example/https://api.x.ai", "https://evil.example"),
        ("https://evil.example?api.x.ai", "https://evil.example"),
        ("https://evil.example#@api.x.ai", "https://evil.example"),
        ("echo://built-in", "echo://built-in"),
    ],
)
def test_an_origin_is_scheme_host_and_unusual_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "http://api.x.ai",
        "https://api.x.ai:8443",
        "https://api.x.ai.evil.example",
        "https://evil-api.x.ai",
        "https://x.ai",
        "https://api.x.ai@evil.example",
        "https://api.x.a\u0456",
        "https://\uff41pi.x.ai",
        "https://api.x.ai\\@evil.example",
        "https://api.x.ai%2eevil.example",
        "//api.x.ai",
        "api.x.ai",
        "",
    ],
)
def test_nothing_else_is_the_same_origin(url: str) -> None:
    assert origin_of(url) != "https://api.x.ai"


@pytest.mark.parametrize("name", sorted(name for name, one in PROVIDERS.items() if one.base_url))
def test_every_provider_has_an_origin_of_its_own_base_url(name: str) -> None:
    base_url = base_url_of(Target(name, "m"))
    origin = origin_of(base_url)
    assert base_url == PROVIDERS[name].base_url.rstrip("/")
    assert (base_url + "/").startswith(origin + "/")
    assert origin_of(origin) == origin


@pytest.mark.parametrize(
    ("base_url", "found"),
    [
        ("https://proxy.example/v1", "https://proxy.example/v1"),
        ("https://proxy.example/v1/", "https://proxy.example/v1"),
        ("https://proxy.example/v1//", "https://proxy.example/v1"),
        ("", "https://api.openai.com/v1"),
        (None, "https://api.openai.com/v1"),
    ],
)
def test_a_targets_own_base_url_goes_before_its_providers(base_url: str | None, found: str) -> None:
    assert base_url_of(Target("openai", "m", base_url=base_url)) == found


@pytest.mark.parametrize("base_url", ["https://h/anthropic", "https://h/anthropic/v1/"])
@pytest.mark.parametrize("provider", ["anthropic", "anthropic_compatible"])
def test_how_a_base_url_always_ends_need_not_be_written(provider: str, base_url: str) -> None:
    """Anthropic's SDKs take one without the version; other programs write it."""
    assert base_url_of(Target(provider, "m", base_url=base_url)) == "https://h/anthropic/v1"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (Target("nobody", "m"), "the target names an unknown provider 'nobody'"),
        (
            Target("nobody", "m", base_url="https://h/v1"),
            "the target names an unknown provider 'nobody'",
        ),
        (Target("azure", "m"), "a target at 'azure' needs a base_url"),
    ],
)
def test_a_target_that_another_program_wrote_may_lead_nowhere(target: Target, problem: str) -> None:
    with pytest.raises(Unavailable) as refused:
        base_url_of(target)
    assert refused.value.message == problem


@pytest.mark.parametrize(
    "url", ["https://h:99999/v1", "https://h:x/v1", "http://[::1/v1", "http://[x]/v1"]
)
def test_a_url_that_is_none_is_the_gateways_own_fault_and_another_targets_chance(url: str) -> None:
    """No program of ours writes one, but a store may hold one all the same."""
    with pytest.raises(Unavailable):
        origin_of(url)

"""Where a raw call goes, and where it cannot be made to go."""

from urllib.parse import urlsplit

import pytest

from gateway.errors import BadRequest
from gateway.exchange.proxied.url import (
    Reading,
    checked_path,
    kept_query,
    readings,
    root_of,
    terms_at,
    url_at,
    within_gateway,
)
from gateway.providers.origins import base_url_of, origin_of
from gateway.providers.provider import Terms
from gateway.routing.endpoint import Target

OPENAI = Target("openai", "gpt")
GATEWAY_KEY = "sgk_" + "a1B2" * 13


def at(base_url: str, provider: str = "openai") -> Target:
    return Target(provider, "m", base_url=base_url)


@pytest.mark.parametrize(
    ("target", "path", "url"),
    [
        (OPENAI, "v1/files", "https://api.openai.com/v1/files"),
        (Target("anthropic", "c"), "v1/messages/batches", "https://api.anthropic.com/v1/messages/batches"),
        (Target("groq", "l"), "v1/models", "https://api.groq.com/openai/v1/models"),
        (Target("perplexity", "s"), "search", "https://api.perplexity.ai/search"),
        # What Gemini's own agents add to the base URL that MLflow tells them.
        (
            Target("gemini", "g"),
            "v1beta/models/g:generateContent",
            "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
        ),
        (at("https://n.openai.azure.com/openai/v1", "azure"), "deployments/x", "https://n.openai.azure.com/openai/deployments/x"),
        (at("http://127.0.0.1:8080/"), "v1/x", "http://127.0.0.1:8080/v1/x"),
        (at("http://127.0.0.1:8080/v1/"), "", "http://127.0.0.1:8080/"),
    ],
)  # fmt: skip
def test_a_path_is_put_in_the_place_of_the_base_urls_last_segment(
    target: Target, path: str, url: str
) -> None:
    assert url_at(target, checked_path(path), "") == url
    assert url_at(target, checked_path(path), "a=1") == f"{url}?a=1"


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        ("e/v1/x", [Reading("e", "e", "v1/x"), Reading("e/v1", "e/v1", "x")]),
        ("a%2Fb/x", [Reading("a/b", "a%2Fb", "x")]),
        ("e/", [Reading("e", "e", "")]),
        ("e", []),
    ],
)
def test_the_shortest_name_is_read_first(behind: str, expected: list[Reading]) -> None:
    assert list(readings(behind)) == expected


def test_a_name_is_looked_for_in_four_segments_at_most() -> None:
    assert [one.path for one in readings("a/b/c/d/e/f")] == ["b/c/d/e/f", "c/d/e/f", "d/e/f", "e/f"]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("v1/files/", "v1/files/"),
        ("models/gemini-2.5:generateContent", "models/gemini-2.5:generateContent"),
        ("models/claude@20250101", "models/claude@20250101"),
        ("models/openai%2Fgpt/x", "models/openai%2Fgpt/x"),
        ("v1/.well-known/..x/y..", "v1/.well-known/..x/y.."),
        ("a%25b", "a%25b"),
        # As front doors hand paths over that have decoded them already.
        ("a b/ü?c#d/100%", "a%20b/%C3%BC%3Fc%23d/100%25"),
    ],
)
def test_a_path_is_sent_as_it_is_or_as_it_must_be_written(path: str, sent: str) -> None:
    assert checked_path(path) == sent


DOTS = "holds a segment of dots"
EMPTY = "holds an empty segment"
CONTROL = "holds a control character or a backslash"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("v1/../x", DOTS),
        ("..", DOTS),
        ("./x", DOTS),
        ("v1/%2e%2e/x", DOTS),
        ("v1/%2E./x", DOTS),
        ("v1/%252e%252e/x", DOTS),
        ("v1%2f%2e%2e%2fx", DOTS),
        ("v1%252F..%252Fx", DOTS),
        ("v1/..;a=b/x", DOTS),
        ("v1/..%3bx", DOTS),
        ("v1/..%20/x", DOTS),
        ("v1/.../x", DOTS),
        ("v1/\uff0e\uff0e/x", DOTS),
        ("v1/%EF%BC%8E%EF%BC%8E/x", DOTS),
        ("v1/\uff052e\uff052e/x", DOTS),
        ("//evil.example/x", EMPTY),
        ("/x", EMPTY),
        ("v1//x", EMPTY),
        ("v1/%2f/x", EMPTY),
        ("%2F%2Fevil.example", EMPTY),
        ("https://evil.example/x", EMPTY),
        ("https%3A%2F%2Fevil.example", EMPTY),
        ("https:/evil.example", "begins with a scheme"),
        ("file:%2fetc", "begins with a scheme"),
        ("v1\\..\\x", CONTROL),
        ("v1/%5c%2e%2e/x", CONTROL),
        ("v1/%255c/x", CONTROL),
        ("v1/x%0d%0aset-cookie:a", CONTROL),
        ("v1/x%00", CONTROL),
        ("v1/%2500", CONTROL),
        ("v1/x\r\na: b", CONTROL),
        ("v1/%c0%ae%c0%ae/x", "bytes that are no UTF-8"),
        ("v1/%ff", "bytes that are no UTF-8"),
        ("v1/" + "%" + "25" * 5 + "2e", "encoded too many times over"),
        (f"v1/x/{GATEWAY_KEY}", "holds a gateway key"),
        (f"v1/x/{GATEWAY_KEY.replace('_', '%5F')}", "holds a gateway key"),
    ],
)
def test_a_path_that_may_lead_elsewhere_is_refused(path: str, problem: str) -> None:
    with pytest.raises(BadRequest, match=problem) as refused:
        checked_path(path)
    assert refused.value.code == "bad_path"


@pytest.mark.parametrize(
    "path",
    ["@evil.example/x", ":80@evil.example", ".evil.example", "?@evil.example", "#@e", "a:b@c"],
)
def test_nothing_that_is_no_escape_changes_the_host_either(path: str) -> None:
    for target in (OPENAI, at("https://api.perplexity.ai"), at("http://127.0.0.1:1")):
        url = url_at(target, checked_path(path), "")
        assert origin_of(url) == origin_of(base_url_of(target))
        assert urlsplit(url).netloc == urlsplit(base_url_of(target)).netloc


@pytest.mark.parametrize(
    ("query", "kept", "dropped"),
    [
        ("", "", set()),
        ("alt=sse&page_token=x&pageToken=y&a&b=", "alt=sse&page_token=x&pageToken=y&a&b=", set()),
        ("a=%20+%C3%BC&a=2", "a=%20+%C3%BC&a=2", set()),
        ("a=b c#d\u00fc", "a=b%20c%23d%C3%BC", set()),
        ("key=AIza&a=1", "a=1", {"query.key"}),
        ("API_KEY=x&api-key=y&Access-Token=z", "", {"query.API_KEY", "query.api-key", "query.Access-Token"}),
        ("%6bey=AIza", "", {"query.key"}),
        (f"q={GATEWAY_KEY}&a=1", "a=1", {"query.q"}),
        (f"q=x;y={GATEWAY_KEY}", "", {"query.q"}),
        (f"q={GATEWAY_KEY.replace('_', '%255F')}", "", {"query.q"}),
        (f"{GATEWAY_KEY}=1&a\r\nb={GATEWAY_KEY}", "", {"query.?"}),
    ],
)  # fmt: skip
def test_a_query_is_kept_but_for_keys(query: str, kept: str, dropped: set[str]) -> None:
    assert kept_query(query) == (kept, frozenset(dropped))


@pytest.mark.parametrize(
    ("target", "path", "header"),
    [
        (Target("anthropic", "c"), "v1/messages", "x-api-key"),
        (Target("anthropic", "c"), "v1/messages/batches/b1", "x-api-key"),
        (Target("anthropic", "c"), "v1/models", "x-api-key"),
        (Target("anthropic", "c"), "v1/files", "x-api-key"),
        (OPENAI, "v1/files", "authorization"),
        (OPENAI, "elsewhere", "authorization"),
        (Target("deepseek", "d"), "user/balance", "authorization"),
        (Target("deepseek", "d"), "chat/completions", "authorization"),
        (Target("deepseek", "d"), "anthropic/v1/messages", "x-api-key"),
        (Target("deepseek", "d"), "anthropic/v1/models", "x-api-key"),
        (Target("gemini", "g"), "v1beta/files", "x-goog-api-key"),
        (at("https://n.openai.azure.com/openai/v1", "azure"), "v1/files", "api-key"),
        (at("https://n.openai.azure.com/openai/v1", "azure"), "deployments", "api-key"),
    ],
)
def test_the_key_stands_where_the_api_that_lies_nearest_wants_it(
    target: Target, path: str, header: str
) -> None:
    terms: Terms = terms_at(target, url_at(target, path, ""))
    assert terms.key_header == header


@pytest.mark.parametrize(
    ("location", "inside"),
    [
        ("/v1/files/1", "/gateway/proxy/e/v1/files/1"),
        ("1?a=b", "/gateway/proxy/e/v1/1?a=b"),
        ("https://api.openai.com/v1/x", "/gateway/proxy/e/v1/x"),
        ("HTTPS://API.OPENAI.COM:443/v1/x", "/gateway/proxy/e/v1/x"),
        ("?key=AIza&a=1", "/gateway/proxy/e/v1/files?a=1"),
        ("https://evil.example/v1/x", None),
        ("//evil.example/x", None),
        ("http://api.openai.com/v1/x", None),
        ("https://api.openai.com@evil.example/x", None),
        ("/v1/%2e%2e/x", None),
        ("https://[", None),
        ("javascript:alert(1)", None),
    ],
)
def test_a_location_leads_back_to_the_gateway_or_nowhere(location: str, inside: str | None) -> None:
    url = "https://api.openai.com/v1/files"
    assert within_gateway(location, url, root_of(OPENAI), "/gateway/proxy/e") == inside

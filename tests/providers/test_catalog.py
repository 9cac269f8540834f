"""Each row of the catalog is one that can be called."""

import re
from urllib.parse import urlsplit

import pytest

from gateway.dialects import (
    ANTHROPIC_COUNT,
    ANTHROPIC_MESSAGES,
    GEMINI,
    OPENAI_CHAT,
    OPENAI_COMPACTION,
    OPENAI_EMBEDDINGS,
    Dialect,
)
from gateway.providers.addresses import refused_url
from gateway.providers.catalog import ECHO, PROVIDERS, Provider
from gateway.providers.regions import HOSTS

ROWS = pytest.mark.parametrize("row", PROVIDERS.values(), ids=lambda row: row.name)
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
TOKEN = re.compile(r"[a-z0-9-]+")
PATH = re.compile(r"(/([a-z][a-z0-9_]*|\{model\}))+(:[a-zA-Z]+)?(\?alt=sse)?")


@ROWS
def test_its_base_url_is_https_without_a_slash_at_the_end(row: Provider) -> None:
    if row.name in (ECHO, "ollama") or not row.base_url:
        return
    parts = urlsplit(row.base_url)
    assert (parts.scheme, bool(parts.hostname), row.base_url[-1] == "/") == ("https", True, False)
    assert refused_url(row.base_url) is None


def test_only_these_have_another_kind_of_address() -> None:
    odd = {row.name: row.base_url for row in PROVIDERS.values() if row.base_url[:8] != "https://"}
    assert odd == {
        "echo": "echo://built-in",
        "azure": "",
        "bedrock": "",
        "bedrock_mantle": "",
        "bedrock_anthropic": "",
        "ollama": "http://127.0.0.1:11434/v1",
        "openai_compatible": "",
        "anthropic_compatible": "",
    }


@ROWS
def test_it_is_known_by_its_own_name(row: Provider) -> None:
    assert PROVIDERS[row.name] is row
    assert re.fullmatch(r"[a-z][a-z0-9_]*", row.name)


@ROWS
def test_it_speaks_chat_at_paths_below_its_base(row: Provider) -> None:
    assert {OPENAI_CHAT, ANTHROPIC_MESSAGES, GEMINI} & row.speaks.keys()
    paths = [*row.speaks.values(), *row.streams_at.values()]
    assert [path for path in paths if not PATH.fullmatch(path)] == []
    assert row.streams_at.keys() <= row.speaks.keys()


@ROWS
def test_its_key_goes_where_it_says(row: Provider) -> None:
    for terms in map(row.terms_in, row.speaks):
        assert terms.key_format.count("{key}") == 1
        assert TOKEN.fullmatch(terms.key_header)
    assert [name for name in row.key_variables if not VARIABLE.fullmatch(name)] == []


@ROWS
def test_what_it_forwards_and_adds_are_header_names_in_lower_case(row: Provider) -> None:
    for terms in map(row.terms_in, row.speaks):
        names = [*terms.forwards, *terms.headers]
        assert [name for name in names if not TOKEN.fullmatch(name)] == []
        assert terms.key_header not in terms.forwards


@ROWS
def test_it_has_terms_only_for_what_it_speaks(row: Provider) -> None:
    assert row.terms_of.keys() <= row.speaks.keys()
    assert row.quirks_of.keys() <= row.speaks.keys()


@ROWS
def test_its_base_url_ends_as_all_of_its_base_urls_do(row: Provider) -> None:
    assert row.base_url.endswith(row.base_path) or not row.base_url
    assert row.address.endswith(row.base_path) or not row.address


@ROWS
def test_only_where_it_has_no_address_of_its_own_is_there_a_form_for_one(row: Provider) -> None:
    assert not (row.base_url and row.address)
    if row.address:
        assert refused_url(re.sub("[A-Z]+", "x", row.address)) is None
        assert re.findall("[A-Z]+", row.address) in (["NAME"], ["REGION"])


@ROWS
def test_what_is_signed_for_is_an_aws_service_and_needs_no_key(row: Provider) -> None:
    for terms in map(row.terms_in, row.speaks):
        assert terms.signed == row.terms.signed
        assert terms.signed is None or terms.signed in HOSTS
    assert not (row.terms.signed and row.key_variables)


@ROWS
def test_an_example_is_there_wherever_it_could_be_listed(row: Provider) -> None:
    assert bool(row.example) == bool(row.base_url)


def test_no_two_providers_claim_a_model_name() -> None:
    claims = [(begin, row.name) for row in PROVIDERS.values() for begin in row.models]
    shared = [
        (mine, theirs)
        for mine, one in claims
        for theirs, other in claims
        if one != other and mine.startswith(theirs)
    ]
    assert shared == []


def test_no_two_providers_share_a_key() -> None:
    variables = [name for row in PROVIDERS.values() for name in row.key_variables]
    assert len(variables) == len(set(variables))


def where(name: str, dialect: Dialect) -> str:
    row = PROVIDERS[name]
    return row.base_url + row.path_to(dialect, "m", stream=False)


def test_anthropics_imitators_are_asked_where_they_say() -> None:
    """Each from its own guide to Anthropic's SDK; of these, only DeepSeek takes x-api-key."""
    imitators = {
        name: where(name, ANTHROPIC_MESSAGES)
        for name, row in PROVIDERS.items()
        if ANTHROPIC_MESSAGES in row.speaks and OPENAI_CHAT in row.speaks
    }
    assert imitators == {
        "deepseek": "https://api.deepseek.com/anthropic/v1/messages",
        "fireworks": "https://api.fireworks.ai/inference/v1/messages",
        "ollama": "http://127.0.0.1:11434/v1/messages",
        "openrouter": "https://openrouter.ai/api/v1/messages",
    }
    assert {
        name: PROVIDERS[name].terms_in(ANTHROPIC_MESSAGES).key_header for name in imitators
    } == {
        "deepseek": "x-api-key",
        "fireworks": "authorization",
        "ollama": "authorization",
        "openrouter": "authorization",
    }


def test_whoever_speaks_anthropics_dialect_is_told_a_version() -> None:
    for row in PROVIDERS.values():
        for dialect in row.speaks.keys() & {ANTHROPIC_MESSAGES, ANTHROPIC_COUNT}:
            assert "anthropic-version" in row.terms_in(dialect).headers, row.name


def test_bedrock_is_handed_no_betas() -> None:
    """It answers 400 to one that it does not know."""
    for dialect in PROVIDERS["bedrock_anthropic"].speaks:
        assert PROVIDERS["bedrock_anthropic"].terms_in(dialect).forwards == {"anthropic-version"}


def test_what_others_are_translated_into_is_a_chat() -> None:
    for row in PROVIDERS.values():
        first = next(iter(row.speaks))
        assert first not in (OPENAI_EMBEDDINGS, OPENAI_COMPACTION, ANTHROPIC_COUNT), row.name


def test_gemini_has_a_method_of_its_own_for_streams() -> None:
    row = PROVIDERS["gemini"]
    base = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
    asked = [
        row.base_url + row.path_to(GEMINI, "gemini-2.5-flash", stream=stream)
        for stream in (False, True)
    ]
    assert asked == [f"{base}:generateContent", f"{base}:streamGenerateContent?alt=sse"]

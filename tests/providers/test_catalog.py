"""Each row of the catalog is one that can be called."""

import re
from urllib.parse import urlsplit

import pytest

from gateway.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from gateway.providers.addresses import refused_url
from gateway.providers.catalog import (
    ANTHROPIC_COMPATIBLE,
    ECHO,
    OPENAI_COMPATIBLE,
    PROVIDERS,
    Provider,
)

ROWS = pytest.mark.parametrize("row", PROVIDERS.values(), ids=lambda row: row.name)
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
TOKEN = re.compile(r"[a-z0-9-]+")


@ROWS
def test_its_base_url_is_https_without_a_slash_at_the_end(row: Provider) -> None:
    if row.name in (ECHO, OPENAI_COMPATIBLE, ANTHROPIC_COMPATIBLE, "azure", "ollama"):
        return
    parts = urlsplit(row.base_url)
    assert (parts.scheme, bool(parts.hostname), row.base_url[-1] == "/") == ("https", True, False)
    assert refused_url(row.base_url) is None


def test_only_these_have_another_kind_of_address() -> None:
    odd = {row.name: row.base_url for row in PROVIDERS.values() if row.base_url[:8] != "https://"}
    assert odd == {
        "echo": "echo://built-in",
        "azure": "",
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
    assert {OPENAI_CHAT, ANTHROPIC_MESSAGES} & row.speaks.keys()
    assert [path for path in row.speaks.values() if not re.fullmatch(r"(/[a-z_]+)+", path)] == []


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


@ROWS
def test_its_base_url_ends_as_all_of_its_base_urls_do(row: Provider) -> None:
    assert row.base_url.endswith(row.base_path) or not row.base_url


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

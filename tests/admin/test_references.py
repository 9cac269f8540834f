"""What an endpoint may refer to, with a store whose list lags behind."""

from gateway.adapters.memory import MemoryItems
from gateway.admin.references import Rules
from gateway.ports import Kind, Page
from gateway.wire.json import Json
from tests.admin.world import GPT, World
from tests.fakes import run

OPENAI = "https://api.openai.com"
USUAL: Json = {"provider": "openai", "model": "gpt"}


class Lagging(MemoryItems):
    """A secret that was just entered is found by its name, and not listed yet."""

    async def page(self, kind: Kind, *, after: str | None = None, limit: int = 100) -> Page:
        if kind == "secret":
            return Page([], None)
        return await super().page(kind, after=after, limit=limit)


def world() -> World:
    made = World(items=Lagging(), variables="none")
    run(made.secrets.put("openai", {"value": "sk", "provider": "openai"}, version=None))
    assert made.names("secret") == []
    return made


def test_a_secret_that_the_list_does_not_show_yet_is_seen() -> None:
    rules = run(Rules.read(world().means, ["openai", "nobody"]))
    assert rules.origins == {"openai": OPENAI}


def test_an_endpoint_may_refer_to_it_by_name_or_without_a_word() -> None:
    lagging = world()
    for name, target in (("named", GPT), ("usual", USUAL)):
        made = run(lagging.endpoints.create(name, {"targets": [target]}))
        assert made["targets"] == [GPT]


def test_so_may_a_manifest() -> None:
    assert world().plan({"endpoints": {"e": {"targets": [GPT]}}}) == ["create endpoint e"]

"""A manifest made true: whole or not at all, once, and told beforehand."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.adapters.memory import MemoryItems
from gateway.adapters.sqlite import SqliteItems
from gateway.errors import ChangedMeanwhile, Conflict, Invalid, Unavailable
from gateway.ports import ItemStore
from gateway.wire.json import Json, dumps, loads
from tests.admin.world import ECHO, GPT, ROLE, Overtaken, Refusing, World
from tests.fakes import run

OPENAI, XAI = "https://api.openai.com", "https://api.x.ai"
WHOLE: Json = {
    "endpoints": {
        "chat": {
            "targets": [GPT, ECHO | {"weight": 0.5}],
            "fallbacks": [{"provider": "xai", "model": "grok", "secret": "vault:backup"}],
            "retries": {"times": 2},
            "timeouts": {"idle": 30.0},
        },
        "local": {
            "targets": [
                {
                    "provider": "openai_compatible",
                    "model": "m",
                    "base_url": "http://10.0.0.1:8080/v1",
                    "price": {"input": 0.0, "output": 1.5},
                }
            ]
        },
    },
    "keys": {
        "ann": {"owner": "Ann", "tags": ["a"], "endpoints": ["chat"], "expires": "2030-01-31"},
        "ci": {"principal": ROLE, "role": "admin"},
    },
    "secrets": {"openai": {"value": "sk-openai"}, "backup": {"value": "sk-backup"}},
    "settings": {"allow_private": ["10.0.0.0/8"]},
}
CREATED = [
    "create endpoint chat",
    "create endpoint local",
    "create secret openai",
    "create secret backup",
    "create key ann",
    "create key ci",
    "update settings gateway",
]


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    items: ItemStore = MemoryItems()
    if request.param == "sqlite":
        items = SqliteItems(tmp_path / "gateway.db")
    return World(items=items)


def test_a_manifest_is_planned_applied_and_then_true(world: World) -> None:
    assert world.plan(WHOLE) == CREATED
    assert world.held() == {}
    assert world.apply(WHOLE) == CREATED
    before = world.held()
    assert world.plan(WHOLE) == world.apply(WHOLE) == world.apply(WHOLE, prune=True) == []
    assert world.held() == before


def test_secrets_go_where_the_targets_that_use_them_are(world: World) -> None:
    world.apply(WHOLE)
    assert world.vault.entries == {"openai": ("sk-openai", OPENAI), "backup": ("sk-backup", XAI)}


def test_what_is_exported_plans_no_change(world: World) -> None:
    world.apply(WHOLE)
    told = run(world.manifests.export())
    assert told == {
        **WHOLE,
        "keys": {
            "ann": WHOLE["keys"]["ann"] | {"expires": "2030-01-31T23:59:59+00:00"},
            "ci": WHOLE["keys"]["ci"],
        },
        "secrets": {"backup": {"base_url": XAI}, "openai": {"base_url": OPENAI}},
    }
    assert world.plan(loads(dumps(told)), prune=True) == []


def test_an_empty_gateway_exports_nothing() -> None:
    assert run(World().manifests.export()) == {}


def test_a_change_is_one_step_and_the_rest_stays(world: World) -> None:
    world.apply(WHOLE)
    before = world.held()
    other = loads(dumps(WHOLE))
    other["endpoints"]["chat"]["retries"]["times"] = 3
    other["keys"]["ann"]["owner"] = "Bob"
    assert world.apply(other) == ["update endpoint chat", "update key ann"]
    changed = {at for at, held in world.held().items() if held != before[at]}
    assert {at for at in changed if not at.startswith("grant/")} == {"endpoint/chat", "key/ann"}
    assert world.held()["endpoint/chat"][0]["created"] == 1000


def test_what_a_manifest_leaves_out_stays_unless_it_is_pruned(world: World) -> None:
    world.apply(WHOLE)
    less = {"endpoints": {"local": WHOLE["endpoints"]["local"]}}
    assert world.apply(less) == []
    with pytest.raises(Invalid) as refused:
        world.apply(less, prune=True)
    assert refused.value.faults == (("endpoints.chat", "is named by key 'ann'"),)
    less["keys"] = {"ci": WHOLE["keys"]["ci"]}
    assert world.apply(less, prune=True) == ["delete endpoint chat", "delete key ann"]
    assert world.names("secret") == ["backup", "openai"]  # it did not speak of secrets
    assert world.apply({"secrets": {}}, prune=True) == [
        "delete secret backup",
        "delete secret openai",
    ]
    assert world.vault.entries == {}


def test_a_secret_in_use_is_not_pruned(world: World) -> None:
    world.apply(WHOLE)
    with pytest.raises(Invalid) as refused:
        world.plan({"secrets": {"openai": {}}}, prune=True)
    assert refused.value.faults == (("secrets.backup", "is used by endpoint 'chat'"),)


def test_every_fault_of_all_is_gathered_with_its_whole_path() -> None:
    world = World()
    manifest = {
        "endpoints": {
            "a": {"targets": [ECHO, GPT | {"secret": "vault:no"}]},
            "b": {"targets": [ECHO], "fallbacks": [GPT | {"secret": "env:HOME"}]},
            "d": {"targets": [ECHO], "fallbacks": [ECHO]},
            "c": {"targets": [{"provider": "openai_compatible", "model": "m", "base_url": "http://10.0.0.1"}]},
        },
        "keys": {"k": {"endpoints": ["a", "no"]}, "l": {"endpoints": ["neither"]}},
        "secrets": {"s": {"value": "v"}, "t": {"provider": "openai"}},
    }  # fmt: skip
    with pytest.raises(Invalid) as refused:
        world.apply(manifest)
    assert [name for name, _ in refused.value.faults] == [
        "endpoints.d.fallbacks[0]",
        "secrets.s.provider",
        "endpoints.a.targets[1].secret",
        "endpoints.b.fallbacks[0].secret",
        "endpoints.c.targets[0].base_url",
        "secrets.t.value",
        "keys.k.endpoints[1]",
        "keys.l.endpoints[0]",
    ]
    assert (world.held(), world.vault.entries) == ({}, {})


@pytest.mark.parametrize("name", ["local", "ci", "openai", "gateway", "ann"])
def test_a_store_that_refuses_one_change_takes_none(name: str) -> None:
    items = Refusing()
    world = World(items=items)
    items.refused = name
    with pytest.raises(Unavailable):
        world.apply(WHOLE)
    assert world.held() == {}
    items.refused = None
    assert world.apply(WHOLE) == CREATED


def test_a_late_conflict_in_sqlite_takes_nothing(tmp_path: Path) -> None:
    world = World(items=SqliteItems(tmp_path / "gateway.db"))
    plan = run(world.manifests.plan(WHOLE, prune=False))
    run(world.items.write([plan.changes[-1]]))
    before = world.held()
    with pytest.raises(Conflict):
        run(world.items.write(plan.changes))
    assert world.held() == before


def test_a_vault_that_fails_leaves_the_store_as_it_was(world: World) -> None:
    world.vault.down = True
    with pytest.raises(Unavailable, match="the vault is down"):
        world.apply(WHOLE)
    assert (world.held(), world.vault.entries) == ({}, {})
    world.vault.down = False
    assert world.apply(WHOLE) == CREATED


CHANGED: Json = {
    "endpoints": {
        "chat": WHOLE["endpoints"]["chat"] | {"retries": {"times": 5}},
        "new": {"targets": [ECHO]},
    },
    "keys": {"ci": WHOLE["keys"]["ci"] | {"owner": "Ops"}, "dan": {}},
    "secrets": {
        "third": {"value": "sk-third", "provider": "groq"},
        "openai": {"value": "sk-openai-2"},
        "backup": {"value": "sk-backup-2"},
    },
    "settings": {"allow_private": []},
}
CHANGES = [
    "update endpoint chat",
    "create endpoint new",
    "create secret third",
    "update secret openai",
    "update secret backup",
    "update key ci",
    "create key dan",
    "update settings gateway",
    "delete endpoint local",
    "delete key ann",
]


@pytest.mark.parametrize(
    ("refused", "doubted"),
    [("third", set()), ("openai", {"openai"}), ("backup", {"openai", "backup"})],
)
def test_a_vault_that_does_not_take_one_value_takes_back_all_that_was_written(
    world: World, refused: str, doubted: set[str]
) -> None:
    ann = run(world.manifests.apply(WHOLE, prune=False)).made["ann"]
    before = world.held()
    world.clock.now = 2000
    world.vault.refused = refused
    with pytest.raises(Unavailable, match="the vault is down"):
        world.apply(CHANGED, prune=True)
    for name in doubted:
        del before[f"secret/{name}"][0]["fingerprint"]
    held = world.held()
    assert bodies(held) == bodies(before)
    assert {at: version for at, (_, version) in held.items() if not at.startswith("grant/")} == {
        "endpoint/chat": 3,
        "endpoint/local": 1,
        "key/ann": 1,
        "key/ci": 3,
        "secret/backup": 4,
        "secret/openai": 4,
        "settings/gateway": 3,
    }
    assert world.admitted(ann) == "ann: caller"
    fault = "is required: it did not come to be kept"
    missing = [(f"secrets.{name}.value", fault) for name in ("openai", "backup") if name in doubted]
    assert faults_of(world, {"secrets": {"openai": {}, "backup": {}}}) == missing
    world.vault.refused = None
    assert world.apply(CHANGED, prune=True) == CHANGES
    assert world.plan(CHANGED, prune=True) == []


def bodies(held: dict[str, tuple[Json, int]]) -> dict[str, Json]:
    return {at: body for at, (body, _) in held.items()}


def faults_of(world: World, manifest: Json) -> list[tuple[str | None, str]]:
    try:
        world.plan(manifest)
    except Invalid as refused:
        return list(refused.faults)
    return []


def test_a_manifest_that_is_overtaken_never_reaches_the_vault() -> None:
    items = Overtaken()
    world = World(items=items)
    items.first = lambda: world.endpoints.create("local", {"targets": [ECHO]})
    with pytest.raises(ChangedMeanwhile):
        world.apply(WHOLE)
    assert (list(world.held()), world.vault.entries) == (["endpoint/local"], {})


def test_a_secret_that_a_manifest_enters_is_written_twice(world: World) -> None:
    world.apply(WHOLE)
    assert {at: held[1] for at, held in world.held().items() if at.startswith("secret/")} == {
        "secret/backup": 2,
        "secret/openai": 2,
    }


def seen(world: World, manifest: Json) -> str:
    return run(world.manifests.plan(manifest, prune=False)).seen


def test_what_a_plan_saw_is_what_there_is_and_not_what_shall_be(world: World) -> None:
    assert seen(world, {}) == seen(world, WHOLE)
    first = seen(world, {})
    world.apply(WHOLE)
    assert first != seen(world, {}) == seen(world, CHANGED)


def test_what_was_made_anew_is_not_what_a_plan_saw(world: World) -> None:
    """Of the same name and the same version, and yet another: nobody agreed to delete it."""
    world.apply({"endpoints": {"e": {"targets": [ECHO]}}})
    first = seen(world, {})
    world.clock.now = 2000
    world.apply({"endpoints": {}}, prune=True)
    world.apply({"endpoints": {"e": {"targets": [ECHO | {"model": "other"}]}}})
    with pytest.raises(ChangedMeanwhile, match="plan again"):
        run(world.manifests.apply({"endpoints": {}}, prune=True, seen=first))
    assert world.names("endpoint") == ["e"]


def test_two_hundred_endpoints_are_one_writing(world: World) -> None:
    endpoints = {f"e{nth}": {"targets": [GPT]} for nth in range(200)}
    manifest = {"endpoints": endpoints, "secrets": {"openai": {"value": "v"}}}
    assert len(world.apply(manifest)) == 201
    assert world.plan(manifest, prune=True) == []
    assert len(world.apply({"endpoints": {}}, prune=True)) == 200


def test_a_value_that_is_the_same_is_no_change() -> None:
    world = World()
    world.apply(WHOLE)
    before = world.held()["secret/openai"]
    assert world.apply({"secrets": {"openai": {"value": "sk-openai"}}}) == []
    assert world.apply({"secrets": {"openai": {}}}) == []
    assert world.held()["secret/openai"] == before
    assert world.apply({"secrets": {"openai": {"value": "sk-other"}}}) == ["update secret openai"]
    assert world.vault.entries["openai"] == ("sk-other", OPENAI)


def test_another_origin_needs_the_value_again() -> None:
    world = World()
    world.apply({"secrets": {"s": {"value": "v", "provider": "openai"}}})
    moved: Json = {"secrets": {"s": {"provider": "xai"}}}
    with pytest.raises(Invalid) as refused:
        world.apply(moved)
    problem = f"is required: it was entered for {OPENAI}"
    assert refused.value.faults == (("secrets.s.value", problem),)
    moved["secrets"]["s"]["value"] = "w"
    assert world.apply(moved) == ["update secret s"]
    assert world.vault.entries["s"] == ("w", XAI)


def test_a_secret_that_an_endpoint_elsewhere_uses_is_not_taken_away_from_it() -> None:
    world = World()
    world.apply(WHOLE)
    with pytest.raises((Invalid, Conflict)):
        world.apply({"secrets": {"openai": {"provider": "xai", "value": "v"}}})
    assert world.vault.entries["openai"] == ("sk-openai", OPENAI)


def test_of_two_origins_none_is_guessed() -> None:
    targets = [GPT | {"secret": "vault:s"}, {"provider": "xai", "model": "m", "secret": "vault:s"}]
    with pytest.raises(Invalid) as refused:
        World().apply({"endpoints": {"e": {"targets": targets}}, "secrets": {"s": {"value": "v"}}})
    assert refused.value.faults[0][0] == "secrets.s.provider"


NAMES = st.from_regex(r"[a-z][a-z0-9._\-]{0,8}", fullmatch=True).map("x{}".format)
NUMBERS = st.floats(0.001, 60, allow_nan=False)
PRICES = st.fixed_dictionaries(
    {"input": st.floats(0, 100), "output": st.floats(0, 100)},
    optional={"cache_read": st.none() | st.floats(0, 9), "cache_write": st.floats(0, 9)},
)
TARGETS = st.fixed_dictionaries(
    {"provider": st.sampled_from(["openai", "xai", "echo", "ollama"]), "model": NAMES},
    optional={"weight": NUMBERS, "price": st.none() | PRICES, "secret": st.none()},
).filter(lambda target: target["provider"] != "ollama")
SPECS = st.fixed_dictionaries(
    {"targets": st.lists(TARGETS, min_size=1, max_size=3)},
    optional={
        "retries": st.fixed_dictionaries({}, optional={"times": st.integers(0, 10), "first_pause": NUMBERS}),
        "timeouts": st.fixed_dictionaries({}, optional={"idle": NUMBERS, "heartbeat": NUMBERS}),
    },
)  # fmt: skip
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(["caller", "admin"]),
        "owner": st.none() | NAMES,
        "tags": st.lists(NAMES, max_size=3),
        "expires": st.none() | st.integers(1, 1 << 33),
        "disabled": st.booleans(),
    },
)
MANIFESTS = st.fixed_dictionaries(
    {},
    optional={
        "endpoints": st.dictionaries(NAMES, SPECS, max_size=4),
        "keys": st.dictionaries(NAMES, KEYS, max_size=4),
        "settings": st.fixed_dictionaries(
            {}, optional={"allow_private": st.lists(st.sampled_from(["10.0.0.1", "[fd00::1]:80"]))}
        ),
    },
)


@given(MANIFESTS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_applied_is_exported_and_plans_no_change(manifest: Any) -> None:
    world = World()
    steps = world.plan(manifest)
    assert world.apply(manifest) == steps
    assert world.plan(manifest, prune=True) == []
    told = loads(dumps(run(world.manifests.export())))
    assert world.plan(told, prune=True) == []
    copy = World()
    assert set(copy.apply(told)) <= set(steps)
    assert run(copy.manifests.export()) == told

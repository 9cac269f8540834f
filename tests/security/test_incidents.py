"""One test for each rule of shared/reference/field_lessons.md, 2, that concerns us by now."""

import ast
import re
from pathlib import Path

import pytest

from gateway.admission.admission import OpenAdmission, Presented
from gateway.admission.keys import ENTROPY, credential_id, hash_of, new_key
from gateway.wire.json import Json
from handler.app import create_app, query_routes
from handler.door import GuardedRoute
from tests.fakes import FakeUpstream, run
from tests.handler.control.world import ECHO, GPT, World, called, whole
from tests.handler.driver import World as OpenWorld
from tests.handler.driver import scope
from tests.security.test_failing import ANSWER, CHAT, CHATS

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_supply_chain_every_dependency_is_pinned_by_hash() -> None:
    """LiteLLM 1.82.7 and 1.82.8 (PYSEC-2026-2)."""
    for file in sorted((ROOT / "requirements").glob("*.txt")):
        text = re.sub(r"\\\n\s*", " ", file.read_text())
        lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_supply_chain_nothing_of_ours_runs_when_python_starts() -> None:
    assert list((ROOT / "src").rglob("*.pth")) == []
    assert not re.search(r"\blitellm\b", (ROOT / "requirements" / "runtime.txt").read_text())


@pytest.mark.parametrize(
    "key", ["' OR 1=1 --", "sgk_' OR '1'='1", "*", "sgk_" + "%" * 49, "grant#x"]
)
def test_injection_before_auth_what_is_no_key_reaches_no_store(key: str) -> None:
    """CVE-2026-42208."""
    assert credential_id(key) is None


def test_confused_routing_the_route_that_matched_decides_and_not_the_host() -> None:
    """CVE-2026-49468; test_routes tries every header and spelling."""
    world = World()
    for host in ("127.0.0.1/health?", "x/health#", "[::1]/openapi.json?"):
        told = world.ask("GET", "/api/keys", headers={"authorization": "", "host": host})
        assert told.status == 401


def test_cache_collision_what_is_remembered_is_found_by_the_whole_key() -> None:
    """CVE-2026-35030 keyed it by the first 20 characters."""
    one, two = new_key(bytes(ENTROPY)), new_key(bytes(ENTROPY - 1) + b"\x01")
    assert one[:40] == two[:40]
    assert len({credential_id(one), credential_id(two)}) == 2
    assert credential_id(one) == hash_of(one)


def chatted(world: World, key: str) -> int:
    return world.ask("POST", CHATS, CHAT, headers=bearer(key)).status


def test_a_key_that_begins_like_another_is_not_the_other() -> None:
    world = World()
    world.make_endpoint("gpt", targets=[ECHO])
    key = world.make_key("k")
    assert chatted(world, key) == 200
    for near in (key[:20], key[:-1], key + "0", key.swapcase(), key[:20] + new_key(b"y" * 32)[20:]):
        assert chatted(world, near) == 401


def test_what_is_remembered_of_a_key_is_remembered_by_the_whole_of_its_hash() -> None:
    world = World()
    world.make_endpoint("gpt", targets=[ECHO])
    key = world.make_key("k")
    assert chatted(world, key) == 200
    remembered = world.wired.admission._grants._remembered._found  # type: ignore[attr-defined]
    assert set(remembered) == {hash_of(world.admin), hash_of(key)}


def test_privilege_escalation_a_caller_changes_no_key_not_even_its_own() -> None:
    """CVE-2026-35029, CVE-2026-47101, CVE-2026-47102, CVE-2026-114612."""
    world = World()
    key = world.make_key("k")
    before = world.ask("GET", "/api/keys/k").json
    for method, path, body in (
        ("PATCH", "/api/keys/k", {"role": "admin"}),
        ("POST", "/api/keys/k/rotate", {}),
        ("POST", "/api/keys", {"name": "n", "role": "admin"}),
        ("PATCH", "/api/settings", {"allow_private": ["127.0.0.1"]}),
    ):
        assert world.ask(method, path, body, headers=bearer(key)).status == 403
    after = world.ask("GET", "/api/keys/k").json
    assert after | {"last_used": None} == before


def test_code_by_configuration_there_is_nothing_that_runs_text() -> None:
    """CVE-2024-4264, PYSEC-2026-389, GHSA-46cm-pfwv-cgf8, CVE-2026-40217, CVE-2026-30623."""
    names = {"eval", "exec", "compile", "__import__", "system", "popen", "Template"}
    modules = {
        "subprocess",
        "pickle",
        "marshal",
        "shelve",
        "jinja2",
        "importlib",
        "runpy",
        "ctypes",
    }
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found += [f"{path}: {node.func.id}"] if node.func.id in names else []
            if isinstance(node, ast.Import | ast.ImportFrom):
                told = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
                found += [f"{path}: {one}" for one in told if one.split(".")[0] in modules]
    # Lambda's own variable names the handler; nobody else's word is imported.
    assert [one for one in found if not one.endswith("lambda_runtime/__main__.py: importlib")] == []


def test_credentials_are_random_and_only_their_hash_is_kept() -> None:
    """GHSA-69x8-hrgq-fjj8: there, the hash itself was taken for a password."""
    world = World()
    world.make_endpoint("gpt")
    key = world.make_key("k")
    assert ENTROPY * 8 == 256
    assert key not in str(whole(world.items))  # type: ignore[arg-type]
    assert f"grant/{hash_of(key)}" in whole(world.items)  # type: ignore[arg-type]
    assert world.ask("POST", CHATS, CHAT, headers=bearer(hash_of(key))).status == 401


EVIL = "https://evil.example/v1"


@pytest.mark.parametrize(
    "field", ["api_base", "base_url", "user_config", "callback_url", "custom_llm_provider", "api_key", "extra_headers"]
)  # fmt: skip
def test_ssrf_no_field_of_a_call_says_where_it_goes(field: str) -> None:
    """CVE-2024-6587, PYSEC-2026-4070, CVE-2026-108719."""
    world = World((FakeUpstream(ANSWER),))
    world.make_endpoint("gpt", targets=[GPT])
    headers = bearer(world.make_key("k"))
    body: Json = CHAT | {field: {"api_base": EVIL} if field == "user_config" else EVIL}
    world.ask("POST", CHATS, body, headers=headers)
    assert [sent.url for sent in world.web.sent] == ["https://api.openai.com/v1/chat/completions"]
    assert "evil" not in str(world.web.sent[0].headers)


@pytest.mark.parametrize(
    "name", ["host", "x-forwarded-host", "x-portkey-custom-host", "x-base-url", "openai-base-url", "forwarded"]
)  # fmt: skip
def test_ssrf_no_header_of_a_call_says_where_it_goes(name: str) -> None:
    """CVE-2025-66405, CVE-2026-110719, PK#1718, CVE-2026-75871."""
    world = World((FakeUpstream(ANSWER),))
    world.make_endpoint("gpt", targets=[GPT])
    headers = {**bearer(world.make_key("k")), name: "evil.example"}
    world.ask("POST", CHATS, CHAT, headers=headers)
    assert [sent.url for sent in world.web.sent] == ["https://api.openai.com/v1/chat/completions"]
    assert "evil" not in str(world.web.sent[0].headers)


def test_key_leak_a_secret_goes_to_its_origin_and_nowhere_else() -> None:
    """Whatever is written behind the control plane's back, the vault refuses."""
    world = World()
    world.put_secret()
    for url in (EVIL, "http://api.openai.com/v1", "https://api.openai.com:8443/v1"):
        target = {
            "provider": "openai_compatible",
            "model": "m",
            "base_url": url,
            "secret": "vault:openai",
        }
        told = world.ask("POST", "/api/endpoints", {"name": "e", "targets": [target]})
        assert (told.status, told.json["error"]["param"]) == (400, "targets[0].secret")


def test_missing_authorisation_every_route_has_a_role_or_the_word_that_it_is_public() -> None:
    """CVE-2026-3198, CVE-2026-2652, CVE-2026-0545; test_routes has the table."""
    for route in World().app.router.routes:
        assert isinstance(route, GuardedRoute)


def test_open_by_default_an_open_gateway_hears_its_own_machine_alone() -> None:
    """CVE-2026-90898, CVE-2026-86242."""
    wired = OpenWorld().wired()
    assert isinstance(wired.admission, OpenAdmission)
    assert run(wired.admission.identify(Presented())).name == "local"
    app = create_app(wired, query_routes(wired), local_only=True)
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        told = run(called(app, scope("GET", "/gateway/openai/v1/models", headers)))
        assert told.status == 403


def test_control_bypass_what_is_admitted_is_admitted_on_every_surface() -> None:
    """PYSEC-2026-4074: one surface had skipped what the others asked."""
    world = World()
    world.make_endpoint("gpt", targets=[ECHO])
    world.make_endpoint("other", targets=[ECHO])
    headers = bearer(world.make_key("k", endpoints=["other"]))
    embeddings, responses = {"model": "gpt", "input": "a"}, {"model": "gpt", "input": "a"}
    for path, body in (
        ("/gateway/openai/v1/chat/completions", CHAT),
        ("/gateway/openai/v1/chat/completions", CHAT | {"stream": True}),
        ("/gateway/mlflow/v1/chat/completions", CHAT),
        ("/gateway/mlflow/v1/chat/completions", CHAT | {"stream": True}),
        ("/gateway/openai/v1/embeddings", embeddings),
        ("/gateway/mlflow/v1/embeddings", embeddings),
        ("/gateway/openai/v1/responses", responses),
        ("/gateway/openai/v1/responses", responses | {"stream": True}),
        ("/gateway/openai/v1/responses/compact", responses),
    ):
        assert (path, world.ask("POST", path, body, headers=headers).status) == (path, 403)
    named = world.ask("POST", "/gateway/gpt/mlflow/invocations", {"input": "a"}, headers=headers)
    assert named.status == 403


def test_no_other_site_is_let_in_by_a_browser() -> None:
    """BAG allowed every origin, with credentials."""
    world = World()
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for method, path in (("OPTIONS", "/api/keys"), ("GET", "/api/keys"), ("OPTIONS", CHATS)):
        told = world.ask(method, path, headers=headers)
        assert [name for name in told.headers if name.startswith("access-control-")] == []

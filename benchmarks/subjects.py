"""Who is measured: the provider itself (`direct`), the floors, and the gateway."""

import asyncio
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.payloads import MODELS
from gateway.adapters.sqlite import SqliteItems
from gateway.admission.keys import Credential, GatewayKey, grants, hash_of, new_key, write_grant
from gateway.ports import Change

# Calls are let in by a gateway key, and their records are kept: as it is run for others.
KEY = new_key(bytes(range(32)))
ROOT = Path(__file__).resolve().parent.parent
DIRECT = "direct"
GATEWAY = "gateway"

GATEWAY_PATH = "/gateway/openai/v1/chat/completions"
GATEWAY_COMMAND = shlex.join((sys.executable, "-c", "from handler.cli import main; main()")) + (
    " serve --port {port} --config {config}"
)
GATEWAY_IMPORT = "import uvicorn, handler.app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """In `command`, {port} and {config} stand for what is known once it is started."""

    name: str
    title: str
    command: tuple[str, ...]
    path: str = "/v1/chat/completions"
    headers: tuple[str, ...] = ()
    imports: str = ""
    needs: str = ""

    def model(self, asked: str) -> str:
        """No one stands between a direct call and the provider who could swap the name."""
        return MODELS[asked] if self.name == DIRECT else asked

    def command_line(self, *, port: int, config: Path) -> list[str]:
        return [
            word.replace("{port}", str(port)).replace("{config}", str(config))
            for word in self.command
        ]


def _floor(name: str, title: str, *, needs: str = "") -> Subject:
    app = f"benchmarks.floors:through_{name}"
    served = f"--factory {app} --host 127.0.0.1 --port {{port}} --workers 1"
    quiet = "--loop uvloop --http httptools --no-access-log --log-level warning"
    return Subject(
        name=name,
        title=title,
        command=(sys.executable, "-m", "uvicorn", *served.split(), *quiet.split()),
        imports=f"import uvicorn, fastapi, benchmarks.floors, {needs or 'httptools'}",
        needs=needs,
    )


DIRECT_SUBJECT = Subject(
    name=DIRECT,
    title="the fake provider, asked without anything in between",
    command=(sys.executable, "-m", "benchmarks.fake_provider", "--port", "{port}"),
)
FLOORS = (
    _floor("raw", "FastAPI route + raw asyncio/httptools client"),
    _floor("httpx", "FastAPI + httpx", needs="httpx"),
    _floor("aiohttp", "FastAPI + aiohttp", needs="aiohttp"),
)
NAMES = (DIRECT, *(floor.name for floor in FLOORS), GATEWAY)


def gateway(*, command: str, path: str, headers: tuple[str, ...], imports: str) -> Subject:
    return Subject(
        name=GATEWAY,
        title="Sluicegate",
        command=tuple(shlex.split(command)),
        path=path,
        headers=headers,
        imports=imports,
    )


def write_config(folder: Path, provider_port: int) -> Path:
    """The gateway's own configuration: one endpoint for each name that the benchmark asks for."""
    target = 'provider: openai_compatible, base_url: "http://127.0.0.1:{port}/v1", model: {model}'
    lines = ["endpoints:"]
    for name, model in MODELS.items():
        filled = target.format(port=provider_port, model=model)
        lines += [f"  {name}:", "    targets:", f"      - {{{filled}}}"]
    config = folder / "endpoints.yaml"
    config.write_text("\n".join(lines) + "\n")
    return config


def make_key(folder: Path) -> None:
    """In the gateway's own store, as `sluicegate keys create` makes one."""
    key = GatewayKey("bench", credentials=(Credential(hash_of(KEY), KEY[-4:], 0),))
    changes = [Change("grant", name, write_grant(one), 0) for name, one in grants(key).items()]
    asyncio.run(SqliteItems(folder / "home" / "gateway.db").write(changes))


def environment(folder: Path, provider_port: int) -> dict[str, str]:
    """Sources on the path, the gateway's state in `folder`, and no proxy for loopback calls."""
    return os.environ | {
        "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))),
        "BENCH_UPSTREAM": f"http://127.0.0.1:{provider_port}/v1/chat/completions",
        "SLUICEGATE_HOME": str(folder / "home"),
        "SLUICEGATE_REQUIRE_KEYS": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }

"""The control plane, ``/api``: of a gateway that runs, or of one that lives within this process."""

import asyncio
import os
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

from gateway.admin.specs import checked_name
from gateway.bootstrap.local import local
from gateway.bootstrap.wiring import Wired
from gateway.settings import Settings
from gateway.wire.json import Json, loads
from handler.app import create_app
from handler.cli.configuration import configured_endpoints, on_aws
from handler.cli.options import Place
from handler.cli.remote import (
    ADMIN_KEY,
    base_of,
    bearer,
    client_for,
    key_in,
    kind_of,
    unreachable,
)
from handler.cli.screen import someone_types, warn
from handler.cli.trouble import Fault, Refused, Trouble
from handler.cli.typed import fault_of, secret_typed
from handler.control.routes import control_routes
from handler.local_guard import is_loopback

TIMEOUT = httpx.Timeout(5, read=60)
IN_PROCESS = "http://sluicegate"  # no address: nothing listens

Result = TypeVar("Result")


class Control:
    """Sends requests, one after another. ``where``: whose configuration it is, for people.

    ``remote``: its address, None within this process. All raise Refused, or Trouble.
    """

    def __init__(self, client: httpx.AsyncClient, where: str, remote: str | None) -> None:
        self.where, self.remote = where, remote
        self._client, self._runner = client, asyncio.Runner()
        self._key = key_in(ADMIN_KEY) if remote else None

    def get(self, path: str, **query: str) -> Json:
        return self.send("GET", path, query=query)

    def post(self, path: str, body: Json) -> Json:
        return self.send("POST", path, body)

    def send(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        version: int | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Json:
        """``version``: refuse where there is another by now."""
        headers = {} if version is None else {"if-match": f'"{version}"'}
        request = self._client.build_request(
            method, path, params=query or None, json=body, headers=headers
        )
        response = self._answer(request)
        if response.status_code == 401 and self.remote and self._key is None and someone_types():
            self._key = _typed_key(self.remote)
            response = self._answer(request)
        return self._read(response)

    def every(self, kind: str) -> Iterator[Json]:
        """All of a kind, by name."""
        query: dict[str, str] = {}
        while True:
            page = self.get(f"/api/{kind}", **query)
            yield from page["items"]
            if page["next"] is None:
                return
            query = {"after": page["next"]}

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def close(self) -> None:
        self.run(self._client.aclose())
        self._runner.close()

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.headers.update(bearer(self._key))
        try:
            return self.run(self._client.send(request))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unreachable(self.where, error) from error

    def _read(self, response: httpx.Response) -> Json:
        if response.status_code == 204:
            return {}
        try:
            told = loads(response.content)
        except ValueError:
            told = None
        if not isinstance(told, dict) or not (response.is_success or _is_ours(told)):
            raise Trouble(
                f"{self.where} answered {response.status_code} with {kind_of(response.headers)}"
                "; is it a Sluicegate? Check --url"
            )
        if response.is_success:
            return told
        raise self._refusal(response.status_code, told)

    def _refusal(self, status: int, told: Json) -> Trouble:
        error = told["error"]
        refused = Refused(error["message"], status, error.get("code"), _faults(told))
        if status == 401:
            refused.message = (
                f"{self.where} knows no such admin key; export {ADMIN_KEY}=…, or be asked for it "
                "at a terminal"
                if self._key
                else f"{self.where} asks for an admin key: export {ADMIN_KEY}=…; `sluicegate "
                "admin-key` makes the first, where the gateway is"
            )
        elif error.get("code") == "wrong_role":
            refused.message = f"{ADMIN_KEY}: {error['message']}"
        elif error.get("code") == "unknown_path":
            refused.message = f"{self.where} has no control plane; it only answers calls"
        return refused


def _faults(told: Json) -> list[Fault]:
    """Every fault; the one that the error itself names, where it lists none."""
    if "faults" in told:
        return [(fault["field"], fault["problem"]) for fault in told["faults"]]
    field, message = told["error"].get("param"), told["error"]["message"]
    if field and message.startswith(f"{field}: "):
        return [(field, message.removeprefix(f"{field}: "))]
    return []


def _is_ours(told: Json) -> bool:
    error = told.get("error")
    return isinstance(error, dict) and isinstance(error.get("message"), str)


def at(kind: str, name: str, more: str = "") -> str:
    """The path of one thing. Raises Invalid for what can be nothing's name."""
    return f"/api/{kind}/{checked_name(name)}{more}"


@contextmanager
def control_of(settings: Settings, place: Place) -> Iterator[Control]:
    if place.url is not None:
        base = base_of(place.url)
        if base.startswith("http://") and not is_loopback(base):
            warn(f"{base} is plain HTTP: keys and secrets go there in clear; use https://")
        control = Control(client_for(base, TIMEOUT), base, base)
        wired = None
    else:
        wired = _wired(settings, place)
        control = Control(_within(wired), _where(settings, place), None)
    try:
        yield control
    except KeyError as error:
        if not control.remote:
            raise
        raise Trouble(
            f"{control.where} answered without {error}; is it a Sluicegate of this version?"
        ) from error
    finally:
        if wired is not None:
            control.run(wired.close())
        control.close()


def _where(settings: Settings, place: Place) -> str:
    if on_aws(settings, place):
        return f"DynamoDB, {settings.config_table}"
    return str(settings.store_file)


def _wired(settings: Settings, place: Place) -> Wired:
    """Whoever has the files, or the AWS account, needs no admin key besides."""
    if on_aws(settings, place):
        from gateway.bootstrap.aws import aws_control

        return aws_control(settings)
    return local(
        settings.model_copy(update={"require_keys": False}),
        environment=os.environ,
        configured=configured_endpoints(settings),
        variables="any",
    )


def _within(wired: Wired) -> httpx.AsyncClient:
    app = create_app(wired, control_routes(wired))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=IN_PROCESS, timeout=TIMEOUT
    )


def _typed_key(base: str) -> str:
    key = secret_typed(f"Admin key of {base}")
    if why := fault_of(key):
        raise Trouble(f"what was typed {why}; type the key alone")
    return key

"""SDKs at the raw proxy: what they send and what they make of the answers, files too."""

import pytest
from anthropic import Anthropic
from openai import BadRequestError, OpenAI

from tests.live import KEY, LiveGateway, ScriptedProvider, answer
from tests.sdk.clients import GIVEN

FILE = {
    "id": "file-1",
    "object": "file",
    "bytes": 3,
    "created_at": 1,
    "filename": "a.jsonl",
    "purpose": "batch",
    "status": "processed",
}


def openai(gateway: LiveGateway) -> OpenAI:
    return OpenAI(base_url=f"{gateway.url}/gateway/proxy/model/v1", **GIVEN)


def test_openais_sdk_uploads_lists_reads_and_deletes_files(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    provider.will(
        answer(FILE),
        answer({"object": "list", "data": [FILE], "has_more": False}),
        answer(b"\x00\xff\x01", headers={"content-type": "application/octet-stream"}),
        answer({"id": "file-1", "object": "file", "deleted": True}),
    )
    with openai(gateway) as client:
        assert client.files.create(file=("a.jsonl", b"{}\n"), purpose="batch").id == "file-1"
        assert [one.id for one in client.files.list(limit=2)] == ["file-1"]
        assert client.files.content("file-1").read() == b"\x00\xff\x01"
        assert client.files.delete("file-1").deleted
    assert [(one.method, one.path) for one in provider.requests] == [
        ("POST", "/v1/files"),
        ("GET", "/v1/files?limit=2"),
        ("GET", "/v1/files/file-1/content"),
        ("DELETE", "/v1/files/file-1"),
    ]
    upload = provider.requests[0]
    assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b"{}\n" in upload.body
    assert {one.headers["authorization"] for one in provider.requests} == {f"Bearer {KEY}"}
    assert "caller-key" not in str(provider.requests)


def test_openais_sdk_raises_the_providers_own_error(
    gateway: LiveGateway, provider: ScriptedProvider
) -> None:
    wrong = {"message": "bad file", "type": "invalid_request_error", "param": "f", "code": "c"}
    provider.will(answer({"error": wrong}, 400, {"x-request-id": "r1"}))
    with openai(gateway) as client, pytest.raises(BadRequestError) as raised:
        client.files.retrieve("file-1")
    error = raised.value
    assert (error.code, error.param, error.request_id, error.body) == ("c", "f", "r1", wrong)


def test_anthropics_sdk_finds_its_own_api(gateway: LiveGateway, provider: ScriptedProvider) -> None:
    model = {
        "type": "model",
        "id": "claude-x",
        "display_name": "X",
        "created_at": "2025-01-01T00:00:00Z",
    }
    page = {"data": [model], "has_more": False, "first_id": "claude-x", "last_id": "claude-x"}
    provider.will(answer(page))
    with Anthropic(base_url=f"{gateway.url}/gateway/proxy/claude", **GIVEN) as client:
        assert [one.id for one in client.beta.models.list(betas=["files-api-2025-04-14"])] == [
            "claude-x"
        ]
    (request,) = provider.requests
    assert request.path == "/v1/models"
    assert (request.headers["x-api-key"], request.headers["anthropic-beta"]) == (
        KEY,
        "files-api-2025-04-14",
    )
    assert "authorization" not in request.headers

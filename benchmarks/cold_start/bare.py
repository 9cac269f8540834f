"""The floor: FastAPI with one route behind Mangum, and the shortest loop that polls for it.

It is copied out of this tree and run by the functions' Python: it imports what they are shipped
with, and none of ours. http.client is there anyway: FastAPI imports it.
"""

import http.client
import json
import os
from types import SimpleNamespace
from typing import Any

from fastapi import FastAPI
from mangum import Mangum

PREFIX = "/2018-06-01/runtime/invocation"

app = FastAPI()


@app.post("/gateway/openai/v1/chat/completions")
async def chat(asked: dict[str, Any]) -> dict[str, Any]:
    said = asked["messages"][-1]["content"]
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": said}}]}


def main() -> None:
    handler = Mangum(app, lifespan="off")
    line = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        line.request("GET", f"{PREFIX}/next")
        got = line.getresponse()
        event, given = json.loads(got.read()), got.headers["Lambda-Runtime-Aws-Request-Id"]
        answer = handler(event, SimpleNamespace(aws_request_id=given))
        line.request("POST", f"{PREFIX}/{given}/response", json.dumps(answer))
        line.getresponse().read()


if __name__ == "__main__":
    main()

"""AWS' DynamoDB and Secrets Manager, emulated on loopback, and the gateway upon them.

What `make run-aws` runs (`python -m examples.local_aws.start`, from the root of the project). The
emulator is ministack; what it holds is kept in .gateway/aws and is there again the next time.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import boto3

from examples.demo_model.children import HOST, Child, StartFailed, running
from gateway.adapters.aws.provision import create_tables

CONFIG, LEDGER = "sluicegate-config", "sluicegate-ledger"
SECONDS_TO_START, SECONDS_TO_END = 60.0, 15.0

TOLD = """
The gateway stands on an emulated AWS at {endpoint}. In another terminal:

  export {exports}
  export SLUICEGATE_ADMIN_KEY=$({sluicegate} admin-key --aws)

  {sluicegate} secrets put openai --aws
  {sluicegate} endpoints create chat --provider openai --model gpt-4.1-mini --aws
  {sluicegate} keys create me --endpoint chat --url http://{host}:{port}
"""


def main() -> int:
    """Run until Ctrl-C or SIGTERM; 1 when something cannot start."""
    options = _options()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # ends as Ctrl-C does
    state = Path(".gateway/aws").absolute()
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = environment(options.aws_port)
    emulator = Child(
        "ministack",
        [str(options.bin / "ministack")],
        options.aws_port,
        "/_ministack/health",
        os.environ | emulator_environment(options.aws_port, state),
    )
    try:
        with running([emulator], logs=state, patience=SECONDS_TO_START):
            _make_tables(told)
            exports = " ".join(f"{name}={value}" for name, value in told.items())
            print(
                TOLD.format(
                    endpoint=told["AWS_ENDPOINT_URL"],
                    exports=exports,
                    sluicegate=options.sluicegate,
                    host=HOST,
                    port=options.port,
                ),
                flush=True,
            )
            return _serve(options, told)
    except StartFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def environment(port: int) -> dict[str, str]:
    """What a program needs to take the emulator for AWS. Its credentials are no secret."""
    return {
        "AWS_ENDPOINT_URL": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLUICEGATE_STORE": "aws",
    }


def emulator_environment(port: int, state: Path) -> dict[str, str]:
    """Loopback only: by itself it would listen on every address of the machine."""
    return {
        "BIND_HOST": HOST,
        "GATEWAY_PORT": str(port),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="the gateway's")
    parser.add_argument("--aws-port", type=int, default=4566, help="the emulator's")
    parser.add_argument("--bin", type=Path, default=Path(".venv-aws/bin"))
    parser.add_argument("--sluicegate", default=".venv/bin/sluicegate")
    return parser.parse_args()


def _make_tables(told: Mapping[str, str]) -> None:
    os.environ.update(told)
    create_tables(boto3.client("dynamodb"), CONFIG, LEDGER)


def _serve(options: argparse.Namespace, told: Mapping[str, str]) -> int:
    command = [options.sluicegate, "serve", "--port", str(options.port)]
    with subprocess.Popen(command, env=os.environ | told) as gateway:  # noqa: S603 - our own
        try:
            return gateway.wait()
        except KeyboardInterrupt:
            gateway.terminate()
            gateway.wait(SECONDS_TO_END)
            raise


if __name__ == "__main__":
    sys.exit(main())

"""MLflow's judges (`pip install mlflow`): MLFLOW_GATEWAY_URI is all they need to know."""

import os
from typing import Literal

from mlflow.genai import make_judge
from mlflow.genai.scorers import Correctness

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
ENDPOINT = "demo"

os.environ.setdefault("MLFLOW_GATEWAY_URI", URL)
if key := os.environ.get("SLUICEGATE_API_KEY"):
    # MLflow shows a key as Basic authentication, any user; its MLFLOW_TRACKING_TOKEN it would not.
    os.environ.update(MLFLOW_TRACKING_USERNAME="judge", MLFLOW_TRACKING_PASSWORD=key)

correct = Correctness(model=f"gateway:/{ENDPOINT}")(
    inputs={"question": "What is 2 + 2?"},
    outputs="4",
    expectations={"expected_response": "4"},
)
print("correctness:", correct.value)  # yes or no; of the echo, which only repeats, unknown
print("because:", correct.rationale.splitlines()[0])

judge = make_judge(
    name="coherence",
    instructions="Is {{ outputs }} a coherent answer to {{ inputs }}?",
    model=f"gateway:/{ENDPOINT}",
    feedback_value_type=Literal["coherent", "incoherent"],
)
coherent = judge(inputs={"question": "What is 2 + 2?"}, outputs="4")
print("coherence:", coherent.value)

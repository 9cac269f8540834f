"""DSPy (`pip install "dspy>=3.4"`): a typed program over the gateway's endpoints.

An older DSPy takes `dspy.LM("openai/demo", api_base=f"{URL}/gateway/openai/v1", api_key=KEY)`. So
does this one, but of a model whose name it does not know it assumes that there are no schemas.
"""

import os

import dspy
from dspy.lm15 import (
    AccessPolicy,
    ModelSupport,
    OpenAIChatCompat,
    ProviderDefinition,
    register_provider,
)

URL = os.environ.get("SLUICEGATE_URL", "http://127.0.0.1:8000")
KEY = os.environ.get("SLUICEGATE_API_KEY", "not-needed")
ENDPOINT = "demo"

gateway = AccessPolicy(provider="sluicegate", base_url=f"{URL}/gateway/openai/v1")
register_provider(
    ProviderDefinition.chat(gateway, compat=OpenAIChatCompat()),
    supports=ModelSupport(function_calling=True, response_schema=True),
)
dspy.configure(
    # DSPy remembers answers on disk; without its cache every call reaches the gateway.
    lm=dspy.LM(f"sluicegate/{ENDPOINT}", api_key=KEY, cache=False),
    adapter=dspy.JSONAdapter(),
)


class Check(dspy.Signature):
    """Says whether the answer fits the question."""

    question: str = dspy.InputField()
    answer: str = dspy.InputField()
    fits: bool = dspy.OutputField()
    reason: str = dspy.OutputField()


checked = dspy.Predict(Check)(question="What is 2 + 2?", answer="4")
print("fits:", checked.fits)
print("reason:", checked.reason.splitlines()[0])

"""How much of everything hypothesis draws here.

``CONTRACT_EXAMPLES=2000 pytest tests/contract`` looks longer, and elsewhere each time; without it
every run looks at the same examples, few enough for the suite to take seconds.
"""

import os

from hypothesis import HealthCheck, settings

ASKED = os.environ.get("CONTRACT_EXAMPLES")


def drawn(examples: int) -> settings:
    """``examples``: how many, where nobody asks for more."""
    return settings(
        max_examples=int(ASKED) if ASKED else examples,
        derandomize=ASKED is None,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )

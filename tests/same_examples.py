"""Hypothesis draws the same examples in every run, so that a run says something of the change and
nothing of luck. ``pytest --hypothesis-profile=elsewhere`` looks elsewhere each time.
"""

from hypothesis import settings
from hypothesis.internal.conjecture import providers

# It also draws what stands in the code that happens to be loaded, which differs with what ran
# before in the same process; there is no setting for it.
vars(providers)["_get_local_constants"] = vars(providers)["Constants"]

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("elsewhere", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("same")

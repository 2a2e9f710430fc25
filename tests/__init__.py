"""The tests; what Hypothesis tries is the same in every run, and no test is timed."""

import os

from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None)
#: For further Pythons, which are to show that the same code runs there.
settings.register_profile("brief", derandomize=True, deadline=None, max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))

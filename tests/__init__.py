"""The tests; what Hypothesis tries is the same in every run, and no test is timed."""

from hypothesis import settings

settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

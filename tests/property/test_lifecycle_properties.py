"""Random stories: no step is ever illegal, and what must hold always does."""

from hypothesis import HealthCheck, settings

from fakes.story import Story

TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow],
)

"""Random stories: no step is ever illegal, and what must hold always does."""

from hypothesis import HealthCheck, settings

from fakes.alarmstory import AlarmStory
from fakes.story import Story

_SLOW = [HealthCheck.too_slow]
TestStory = Story.TestCase
TestStory.settings = settings(
    max_examples=60, stateful_step_count=40, suppress_health_check=_SLOW
)
# What becomes of alarms alone is seen in more of them.
TestAlarmStory = AlarmStory.TestCase
TestAlarmStory.settings = settings(
    max_examples=200, stateful_step_count=30, suppress_health_check=_SLOW
)

"""The sections about notices, compiled: who hears of what, and the daily report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta

from evidenced.config.models import Config
from evidenced.core.ids import RuleName
from evidenced.core.severity import Severity
from evidenced.core.telling.notice import Kind
from evidenced.core.telling.routing import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """When the report of the day before goes to whom; `days` 0 = Monday."""

    at: time = time(7)
    days: frozenset[int] = frozenset()
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticePlan:
    """Everything but the receivers' addresses, which the messenger keeps."""

    routes: tuple[Route, ...] = ()
    severities: Mapping[RuleName, Severity] = field(default_factory=dict)
    page: str = ""
    report: ReportPlan = field(default_factory=ReportPlan)
    trouble_after: timedelta = timedelta(minutes=1)


def notice_plan(config: Config) -> NoticePlan:
    """What a checked configuration says of notices."""
    report = config.report
    return NoticePlan(
        routes=tuple(
            Route(
                name=name,
                events=frozenset(map(Kind, each.events)),
                rules=frozenset(each.rules),
                severity=Severity(each.severity),
                group_wait=each.group_wait,
                group_interval=each.group_interval,
                repeat=each.repeat,
            )
            for name, each in config.notify.items()
        ),
        severities={
            RuleName(rule.name): Severity(rule.severity) for rule in config.rules
        },
        page=(config.web.public_url or "").rstrip("/"),
        report=ReportPlan(at=report.at, days=report.days, to=report.to),
        trouble_after=config.daemon.trouble_after,
    )

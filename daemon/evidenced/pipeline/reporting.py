"""The daily report, into the piles of those that it goes to.

What was sent last is a row: a report that was due while the daemon was down is sent at
its start, once; of several that were missed only the last.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, tzinfo

from apscheduler.triggers.cron import CronTrigger

from evidenced.core.instants import DAY, MILLISECOND, floor_ms, render_utc
from evidenced.core.phrase import said
from evidenced.core.site import ReportPlan
from evidenced.core.telling.judgement import Judgement
from evidenced.core.telling.notice import Notice, NoticeKind, severity_of
from evidenced.core.telling.report import DayReport, day_of, report_text
from evidenced.core.telling.routing import Pile, Route, empty_pile
from evidenced.pipeline import names
from evidenced.pipeline.agenda import Agenda
from evidenced.pipeline.notify import FORGET_AFTER
from evidenced.pipeline.world import World
from evidenced.ports import Tx
from evidenced.tongues import tongue

LAST_REPORT = "report"
LOOK_BACK = timedelta(days=8)
"""A schedule repeats weekly: what was due before is not looked for."""
JUST_AFTER = MILLISECOND


def trigger_of(plan: ReportPlan, zone: tzinfo) -> CronTrigger | None:
    """Its hours by the clock on the wall; None where nobody gets one."""
    if not plan.days or not plan.to:
        return None
    return CronTrigger(
        hour=plan.at.hour,
        minute=plan.at.minute,
        day_of_week=",".join(map(str, sorted(plan.days))),
        timezone=zone,
    )


def last_report(
    trigger: CronTrigger, after: datetime, now: datetime
) -> datetime | None:
    """The last instant that has come, if any has since then."""
    found, at = None, max(after, now - LOOK_BACK)
    while (fires := trigger.get_next_fire_time(None, at + JUST_AFTER)) is not None:
        at = floor_ms(fires)
        if at > now:
            break
        found = at
    return found


class Reporting:
    """The loop that makes the report of the day before."""

    def __init__(
        self, world: World, agenda: Agenda, judge: Callable[[], Awaitable[Judgement]]
    ) -> None:
        self._world = world
        self._judge = judge
        self._agenda = agenda

    async def run(self) -> None:
        """Forever; the timetable wakes it when one is due."""
        while True:
            await self.once()
            await self._agenda.wait(names.REPORT)

    async def once(self) -> None:
        """Make the one that is due."""
        site, now = self._world.site, self._world.now()
        trigger = trigger_of(site.notices.report, site.zone)
        if trigger is None or not now.is_trusted:
            return
        noted = await self._world.read(lambda view: view.notes.get(LAST_REPORT))
        last = None if noted is None else datetime.fromisoformat(noted)
        if last is None or last > now.at:
            await self._world.write(
                lambda tx: tx.notes.save(LAST_REPORT, render_utc(now.at))
            )
            return
        due = last_report(trigger, last, now.at)
        if due is not None:
            await self._make(due, now.at)

    async def _make(self, due: datetime, now: datetime) -> None:
        site = self._world.site
        day = due.astimezone(site.zone).date() - DAY
        start, end = day_of(day, site.zone)
        figures = await self._world.read(
            lambda view: view.figures.between(start, end, now)
        )
        report = DayReport(
            day=day,
            start=start,
            end=end,
            now=now,
            zone=site.zone,
            figures=figures,
            verdict=await self._judge(),
        )
        to = [r for r in site.notices.routes if r.name in site.notices.report.to]

        def step(tx: Tx) -> None:
            kept = [route.name for route in site.notices.routes]
            tx.piles.forget(kept, now - FORGET_AFTER)
            tx.piles.save([_pile(route, report, now) for route in to])
            tx.notes.save(LAST_REPORT, render_utc(due))

        await self._world.write(step)
        for route in to:
            self._agenda.hint(names.notify(route.name))


def _pile(route: Route, report: DayReport, now: datetime) -> Pile:
    """The report in its receiver's language."""
    speaks = tongue(route.language)
    notice = Notice(
        kind=NoticeKind.REPORT,
        subject=said(report.title, speaks),
        severity=severity_of(NoticeKind.REPORT, None),
        at=now,
        text=report_text(report, speaks),
    )
    return empty_pile(route, notice).with_notice(notice, now)

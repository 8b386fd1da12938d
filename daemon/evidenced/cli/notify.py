"""`evidenced notify`: who would hear of what, and whether it gets through."""

import asyncio
from typing import Annotated

import typer

from evidenced.cli.family import new_family
from evidenced.cli.options import DEFAULT_CONFIG, ConfigFile, load_config, rules
from evidenced.cli.table import Columns, print_table
from evidenced.cli.terminal import AsJson, Failed, say, say_json
from evidenced.config import Config
from evidenced.config.compile import notice_plan, zone_of
from evidenced.connections import receivers
from evidenced.core.ids import RuleName
from evidenced.core.site import NoticePlan
from evidenced.core.telling.mail import Letterhead, compose
from evidenced.core.telling.notice import (
    CHOSEN,
    OF_RULES,
    TROUBLES,
    Notice,
    NoticeKind,
    Phase,
    severity_of,
)
from evidenced.core.telling.routing import Route, empty_pile
from evidenced.host.clock import SystemClock
from evidenced.notify import AppriseMessenger
from evidenced.ports import NotSent

_COLUMNS: Columns = (("receiver", "to"), ("told", "told"), ("why", "why"))
NOBODY = 1
WRONG = 2


family = new_family()


@family.callback()
def notify() -> None:
    """Try who is told of what.

    Example: `evidenced notify test --event failed --rule door-forced`
    """


@family.command("test")
def try_event(
    config: ConfigFile = DEFAULT_CONFIG,
    event: Annotated[
        str, typer.Option(help=f"One of {', '.join(CHOSEN)}.")
    ] = NoticeKind.FAILED.value,
    rule: Annotated[
        str, typer.Option(help="Of an incident of this rule.", autocompletion=rules)
    ] = "",
    send: Annotated[
        bool, typer.Option("--send", help="Send a test message to those told.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Say who would be told of an event, and why others would not.

    Exit 0: somebody is told, and with --send everybody got it. 1: nobody is, or a
    message was not taken. 2: bad input. Needs no running daemon.

    Example: `evidenced notify test --event failed --rule door-forced --send`
    """
    loaded = load_config(config)
    plan = notice_plan(loaded)
    notice = _notice(plan, event, rule)
    rows = [_row(route, notice) for route in plan.routes]
    told = [route for route in plan.routes if route.refusal(notice) is None]
    if send:
        _send(loaded, plan, told, notice, rows)
    if as_json:
        say_json({"event": event, "severity": notice.severity, "receivers": rows})
    elif rows:
        say(f"{event}{f' of {rule}' if rule else ''}, {notice.severity}:")
        print_table("", _COLUMNS, rows)
    else:
        say("no [notify] table is configured: nobody is told of anything")
    if not told or any(row["told"] == "failed" for row in rows):
        raise typer.Exit(NOBODY)


def _notice(plan: NoticePlan, event: str, rule: str) -> Notice:
    if event not in CHOSEN:
        raise Failed(f"--event {event!r}: there are {', '.join(CHOSEN)}", code=WRONG)
    kind = NoticeKind(event)
    if kind in OF_RULES and not rule:
        raise Failed(f"--event {event} is of an incident: say its --rule", code=WRONG)
    if kind in OF_RULES and rule not in plan.severities:
        raise Failed(f"there is no rule {rule!r}", code=WRONG)
    return Notice(
        kind=kind,
        subject=rule if kind in OF_RULES else "test",
        severity=severity_of(kind, plan.severities.get(RuleName(rule))),
        at=SystemClock().now(),
        text="this is a test of evidenced; nothing has happened",
        phase=Phase.BEGUN
        if kind in TROUBLES or kind is NoticeKind.SILENCE
        else Phase.ONCE,
    )


def _row(route: Route, notice: Notice) -> dict[str, str]:
    refusal = route.refusal(notice)
    return {
        "to": route.name,
        "told": "no" if refusal else "yes",
        "why": refusal or "",
    }


def _send(
    config: Config,
    plan: NoticePlan,
    told: list[Route],
    notice: Notice,
    rows: list[dict[str, str]],
) -> None:
    """Send the test message to each, and say in its row what became of it."""
    messenger = AppriseMessenger(receivers(config))
    head = Letterhead(
        instance=f"evidenced {config.daemon.instance} (test)",
        zone=zone_of(config.daemon.timezone),
        page=plan.page,
    )
    by_name = {row["to"]: row for row in rows}
    for route in told:
        message = compose(
            [empty_pile(route, notice).with_notice(notice, notice.at)], head
        )
        row = by_name[route.name]
        try:
            asyncio.run(messenger.send(route.name, message))
        except NotSent as error:
            row |= {"told": "failed", "why": str(error)}
        else:
            row["told"] = "sent"

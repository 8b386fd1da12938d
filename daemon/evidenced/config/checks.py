"""What single values cannot show: whether the tables fit together.

Each check is a function from the draft to faults; the tables at the end are all of
them. Faults stop the daemon from starting, warnings do not.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from urllib.parse import urlsplit

from evidenced.config.camerachecks import CAMERA_CHECKS, CAMERA_WARNINGS
from evidenced.config.draft import MAX_PROBLEMS, Draft, Fault
from evidenced.config.rulechecks import RULE_CHECKS, RULE_WARNINGS
from evidenced.config.rulelints import RULE_LINTS
from evidenced.config.secret import Origin
from evidenced.config.special import is_loopback, split_listen
from evidenced.config.topiclints import odd_topics
from evidenced.core.folders.paths import fits
from evidenced.core.wording import KeyPath, quote, suggest

Check = Callable[[Draft], Iterator[Fault]]

BLANKS = ".xX*-_?<>"
"""Of these alone are texts that stand for one in examples."""
PUBLIC_ACCOUNTS = frozenset({"admin", "administrator"})
"""Names that factory default accounts go by. Source: sense-api.md B1 1.14."""


def problems_of(draft: Draft) -> list[Fault]:
    """Everything that keeps this configuration from being used."""
    found = (fault for check in _CHECKS for fault in check(draft))
    return list(islice(found, MAX_PROBLEMS + 1))


def warnings_of(draft: Draft) -> list[Fault]:
    """What works and is probably not meant, or not safe."""
    found = (fault for check in _WARNINGS for fault in check(draft))
    return list(islice(found, MAX_PROBLEMS))


def _mqtt(draft: Draft) -> Iterator[Fault]:
    mqtt = draft.config.mqtt
    if not draft.is_sound("mqtt"):
        return
    for one, other in (("client_cert", "client_key"), ("client_key", "client_cert")):
        if getattr(mqtt, one) is not None and getattr(mqtt, other) is None:
            yield Fault(("mqtt", one), f"needs mqtt.{other} too; add it")
    for key in ("ca_file", "client_cert", "client_key"):
        if getattr(mqtt, key) is not None and not mqtt.is_tls:
            yield Fault(
                ("mqtt", key),
                "has no effect because mqtt.url is not encrypted; "
                'begin that with "mqtts://" or "wss://"',
            )
    if mqtt.password is not None and mqtt.username is None:
        yield Fault(("mqtt", "password"), "needs mqtt.username too; add it")


def _web(draft: Draft) -> Iterator[Fault]:
    web = draft.config.web
    if not draft.is_sound("web"):
        return
    for one, other in (("certificate", "key"), ("key", "certificate")):
        if getattr(web.tls, one) is not None and getattr(web.tls, other) is None:
            yield Fault(("web", "tls", one), f"needs web.tls.{other} too; add it")
    if not web.listen or web.listen.startswith("unix:") or web.users:
        return
    host, _ = split_listen(web.listen)
    if not is_loopback(host):
        yield Fault(
            ("web", "listen"),
            f"{quote(web.listen)} can be reached from other hosts, so web.users must "
            'name somebody; add one or listen on "127.0.0.1"',
        )


def _recorders(draft: Draft) -> Iterator[Fault]:
    for name, recorder in draft.config.recorders.items():
        place = ("recorders", name)
        is_sound = draft.is_sound(*place, "nonce") and draft.is_sound(*place, "auth")
        if is_sound and recorder.auth == "digest" and recorder.nonce is None:
            yield Fault(
                (*place, "auth"),
                '"digest" needs the nonce that the vendor gave; add the key nonce '
                'or write "plain"',
            )
        url = recorder.url
        if recorder.ca_file is not None and url.startswith("http://"):
            yield Fault(
                (*place, "ca_file"),
                'has no effect because url is not encrypted; begin that with "https://"',
            )
        yield from _retry(draft, (*place, "retry"), name)
        yield from _bandwidth_windows(draft, (*place, "bandwidth_windows"), name)


def _retry(draft: Draft, place: KeyPath, name: str) -> Iterator[Fault]:
    retry = draft.config.recorders[name].retry
    if draft.is_sound(*place) and retry.first > retry.max:
        yield Fault(
            (*place, "max"),
            "must be at least as long as retry.first; make one longer or the other "
            "shorter",
        )


def _bandwidth_windows(draft: Draft, place: KeyPath, name: str) -> Iterator[Fault]:
    if not draft.is_sound(*place):
        return
    for n, window in enumerate(draft.config.recorders[name].bandwidth_windows):
        if window.pause == (window.bandwidth is not None):
            yield Fault(
                (*place, n),
                "must have either bandwidth or pause = true, and not both",
            )


def _destinations(draft: Draft) -> Iterator[Fault]:
    for name, destination in draft.config.destinations.items():
        place = ("destinations", name)
        has_mount = destination.mount is not None or not draft.is_sound(*place, "mount")
        if destination.marker is not None and not has_mount:
            yield Fault((*place, "marker"), "needs mount too; add it")
        if destination.keep is not None:
            if not has_mount:
                yield Fault((*place, "keep"), "needs mount too; add it")
            elif not destination.record:
                yield Fault(
                    (*place, "keep"),
                    "deletes only what an evidence record lists; take record = false "
                    "out, or this",
                )
        if not (draft.is_sound(*place, "path") and draft.is_sound(*place, "root")):
            continue
        template = destination.path
        if "id" not in template.names:
            yield Fault(
                (*place, "path"),
                "must contain {id}, or two incidents would share one folder",
            )
        root = destination.fixed_root
        for problem in fits(template, root):
            key = "root" if problem.startswith("root") else "path"
            for text in (template.text, root):
                problem = problem.replace(repr(text), quote(text))  # noqa: PLW2901
            yield Fault((*place, key), problem.removeprefix(f"{key} "))


def _no_drive(draft: Draft) -> Iterator[Fault]:
    """On Windows such a path lies on the drive that the service was started from."""
    for name, destination in draft.config.destinations.items():
        place = ("destinations", name, "path")
        if draft.is_sound(*place) and destination.path.is_on_any_drive:
            yield Fault(
                place,
                "begins with one backslash: it lies on whichever drive the recorder's "
                "service runs from; begin with the drive (V:\\) or the share "
                "(\\\\server\\share\\)",
            )


def _one_default(draft: Draft) -> Iterator[Fault]:
    """Two could not both be where what names none goes."""
    named = [name for name, each in draft.config.destinations.items() if each.default]
    for name in named[1:]:
        yield Fault(
            ("destinations", name, "default"),
            f"is true of destination {quote(named[0])} already; leave it to one",
        )


def _literal_secrets(draft: Draft) -> Iterator[Fault]:
    for place, secret in draft.config.secrets():
        if secret.origin is Origin.LITERAL:
            yield Fault(
                place,
                "is written out in this file; keep it apart with "
                '{ credential = "name" } or { file = "/path" }',
            )


def _weak_mqtt(draft: Draft) -> Iterator[Fault]:
    mqtt = draft.config.mqtt
    if mqtt.qos == 0:
        yield Fault(
            ("mqtt", "qos"),
            "0 loses every alarm that is under way when the connection breaks; write 1",
        )
    is_open = not mqtt.is_tls and not is_loopback(mqtt.host)
    if is_open and mqtt.password is not None:
        yield Fault(
            ("mqtt", "url"),
            'the password goes over the network unencrypted; use "mqtts://"',
        )


def _weak_recorders(draft: Draft) -> Iterator[Fault]:
    for name, recorder in draft.config.recorders.items():
        is_open = recorder.url.startswith("http://") and not recorder.is_digest
        if is_open and not is_loopback(urlsplit(recorder.url).hostname or ""):
            yield Fault(
                ("recorders", name, "url"),
                "the password goes over the network unencrypted; use https:// or "
                'auth = "digest"',
            )
        if recorder.nonce is not None and not recorder.nonce.strip(BLANKS):
            yield Fault(
                ("recorders", name, "nonce"),
                f"{quote(recorder.nonce)} stands for one in examples; write the one "
                "that the vendor gave",
            )
        if recorder.username.casefold() in PUBLIC_ACCOUNTS:
            yield Fault(
                ("recorders", name, "username"),
                f"{quote(recorder.username)} may be the factory's default account, "
                "which is public knowledge; give the daemon an account of its own",
            )


def _weak_web(draft: Draft) -> Iterator[Fault]:
    web = draft.config.web
    if not draft.is_sound("web") or not web.listen or web.listen.startswith("unix:"):
        return
    host, _ = split_listen(web.listen)
    if not is_loopback(host) and web.tls.certificate is None:
        yield Fault(
            ("web", "listen"),
            "passwords of users go over the network unencrypted; add web.tls, or "
            "listen on loopback behind a proxy that speaks TLS",
        )


def _notify(draft: Draft) -> Iterator[Fault]:
    rules = {rule.name for _, rule in draft.rules}
    for name, receiver in draft.config.notify.items():
        for n, rule in enumerate(receiver.rules):
            if rule not in rules and draft.is_sound("rules"):
                hint = suggest(rule, rules, what="rules")
                text = f"there is no rule {quote(rule)}; {hint}"
                yield Fault(("notify", name, "rules", n), text)
    for n, name in enumerate(draft.config.report.to):
        if name not in draft.config.notify and draft.is_sound("report", "to"):
            hint = suggest(name, draft.config.notify, what="[notify] tables")
            text = f"there is no notify.{name}; {hint}"
            yield Fault(("report", "to", n), text)


_CHECKS: tuple[Check, ...] = (
    _mqtt,
    _web,
    _notify,
    _recorders,
    *CAMERA_CHECKS,
    _destinations,
    _one_default,
    *RULE_CHECKS,
)
_WARNINGS: tuple[Check, ...] = (
    _literal_secrets,
    _weak_mqtt,
    _weak_recorders,
    _weak_web,
    _no_drive,
    *CAMERA_WARNINGS,
    *RULE_WARNINGS,
    *RULE_LINTS,
    odd_topics,
)

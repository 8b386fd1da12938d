"""What holds for every request, every path and every way of looking."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from evidenced.core.window import Window
from evidenced.simulator import (
    Action,
    Request,
    Scenario,
    SentReply,
    Simulator,
    Strike,
)
from evidenced.simulator.asked import AskedExport, AskedWindow
from evidenced.simulator.codes import CommandDenied
from evidenced.simulator.journal import ExportRecord
from evidenced.simulator.places import Places
from evidenced.simulator.scenario import ExportsScenario
from evidenced.simulator.table import ExportTable
from fakes.clock import START, FakeClock

SIZES = st.lists(st.integers(1, 10**9), min_size=1, max_size=4)
ASKED = st.tuples(SIZES, st.integers(0, 5_000_000))
LOOKS = st.lists(st.floats(0, 2_000), max_size=15)
FAULTS = st.lists(
    st.builds(
        Strike,
        action=st.sampled_from((Action.FAIL, Action.STALL, Action.WORD)),
        command=st.just("exportVideo"),
        percent=st.floats(0, 100),
        lasts=st.none() | st.just(timedelta(seconds=17)),
        device=st.none() | st.just("0"),
    ),
    max_size=2,
)


def outcome(
    orders: list[tuple[list[int], int]],
    faults: list[Strike],
    parallel: int,
    looks: list[float],
) -> list[tuple[str, object]]:
    """How every export stands after 3000 s, having been looked at in between."""
    records: list[ExportRecord] = []
    table = ExportTable(
        ExportsScenario(parallel=parallel),
        lambda elapsed: START + timedelta(milliseconds=round(elapsed * 1000)),
        records.append,
    )
    window = Window(start=START, end=START)
    for sizes, bandwidth in orders:
        devices = tuple(
            AskedWindow(server="1", device=str(n), window=window)
            for n in range(len(sizes))
        )
        order = AskedExport(devices=devices, path=r"V:\x", bandwidth=bandwidth)
        table.accept(order, [float(size) for size in sizes], "s", START)
    for fault in faults:
        table.strike(fault)
    for look in (*sorted(looks), 3_000.0):
        table.advance(look)
    return [(record.state, record.finished_at) for record in records]


@given(st.lists(ASKED, min_size=1, max_size=4), FAULTS, st.integers(0, 2), LOOKS)
def test_looking_changes_nothing(
    orders: list[tuple[list[int], int]],
    faults: list[Strike],
    parallel: int,
    looks: list[float],
) -> None:
    often = outcome(orders, faults, parallel, looks)
    once = outcome(orders, faults, parallel, [])
    for (state, finished), (other, expected) in zip(often, once, strict=True):
        assert state == other
        if finished != expected:  # floats: at most one rounded millisecond
            assert abs(finished - expected) <= timedelta(milliseconds=1)  # type: ignore[operator]


SIGNS = st.sampled_from([*"VvC:\\/.. ~%<>|?*&aB\x00\n", "..", "\\\\", "nas", "CON"])


@given(st.lists(SIGNS, max_size=25).map("".join) | st.text(max_size=40))
def test_no_path_leads_out_of_the_folder(text: str) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name) / "below"
        places = Places((), (), folder)
        try:
            places.check(text)
            made = places.make(text)
        except CommandDenied:
            made = None
        assert made is None or made.is_relative_to(folder)
        assert [path.name for path in Path(name).iterdir()] in ([], ["below"])


TEXTS = st.text(max_size=30)
COMMANDS = st.sampled_from(
    ["exportVideo", "getExportVideoStatus", "getImageSequence", "getDeviceList"]
)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
    path=st.sampled_from(["/info", "/webservice", "/command", "/", ""]) | TEXTS,
    query=st.dictionaries(TEXTS, TEXTS, max_size=3),
    more=st.dictionaries(
        st.sampled_from(["exportid", "serverid", "deviceid", "limit", "starttime"]),
        st.sampled_from(["1001", "2001", "-3", "2026-11-23 05:00:00"]) | TEXTS,
    ),
    command=COMMANDS | TEXTS,
    body=st.binary(max_size=60) | TEXTS.map(lambda text: f"<a>{text}</a>".encode()),
)
def test_every_request_gets_an_answer(
    method: str,
    path: str,
    query: dict[str, str],
    more: dict[str, str],
    command: str,
    body: bytes,
) -> None:
    simulator = Simulator(Scenario(), FakeClock())
    login = simulator.handle(
        Request.to(
            "POST",
            "/webservice",
            {"Content-Type": "text/xml"},
            b"<AuthenticateUser><username>export</username>"
            b"<password>secret</password></AuthenticateUser>",
        )
    )
    assert isinstance(login, SentReply)
    key = login.body.partition(b"<sessionkey>")[2].partition(b"<")[0].decode()
    request = Request(
        method=method,
        path=path,
        query={**query, **more, "command": command},
        headers={"content-type": "text/xml", "cookie": f"sessionkey={key}"},
        body=body,
    )
    assert isinstance(simulator.handle(request), SentReply)
    assert simulator.journal.as_json()["requests"]

"""A list of any length is read, in pieces; half a list is refused as before."""

import pytest

from evidenced.sense import document
from evidenced.sense.document import Unreadable, pieces
from evidenced.sense.replies import read_exports, read_result

MAX_MARKUP, PIECE = 20_000, 2_000
"""Small here, so that a list that is too long is not."""
DEVICE = (
    "<device><serverid>1001</serverid><deviceid>{d}</deviceid><progress>100</progress>"
    "</device>"
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_MARKUP", MAX_MARKUP)
    monkeypatch.setattr(document, "PIECE", PIECE)


def listing(number: int, *, is_well_formed: bool = True, devices: int = 4) -> bytes:
    """As many exports; with the flaws of the vendor's sample, or without."""
    inside = "".join(DEVICE.format(d=d) for d in range(devices))
    if not is_well_formed:
        inside = inside.replace("</device>", "")
    count = f"'{number}'" if is_well_formed else number
    exports = "".join(
        f"<export><exportid>{n}</exportid><path>V:\\e\\{n}</path>"
        f"<devices>{inside}</devices></export>"
        for n in range(number)
    )
    text = f"<result errorcode='0'><exports count={count}>{exports}</exports></result>"
    return text.encode()


@pytest.mark.parametrize("is_well_formed", [True, False])
def test_a_list_beyond_what_fits_as_nodes_is_read_whole(
    is_well_formed: bool,
) -> None:
    data = listing(MAX_MARKUP // 20, is_well_formed=is_well_formed)
    assert data.count(b"<") > MAX_MARKUP
    exports = read_exports(read_result(data))
    assert [each.exportid for each in exports] == [
        str(n) for n in range(MAX_MARKUP // 20)
    ]
    assert {len(each.devices) for each in exports} == {4}


def test_pieces_are_bounded_and_a_short_list_is_one() -> None:
    data = listing(900)
    parts = list(pieces(data))
    assert len(parts) > 2
    assert max(part.count(b"<") for part in parts) < PIECE + 200
    assert list(pieces(listing(9))) == [listing(9)]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9999])
def test_a_long_list_that_was_cut_off_is_refused(share: float) -> None:
    data = listing(600)
    with pytest.raises(Unreadable):
        read_exports(read_result(data[: int(len(data) * share)]))


def test_a_long_list_that_holds_less_than_it_counts_is_refused() -> None:
    data = listing(600, is_well_formed=False).replace(b"count=600", b"count=601")
    with pytest.raises(Unreadable, match="counts 601"):
        read_exports(read_result(data))

from datetime import datetime, timedelta, timezone

from evidenced.core.ids import incident_id
from fakes.incident import t


def test_an_id_is_readable_and_in_utc() -> None:
    assert incident_id(t("06:15:30.999"), "k3f9qx2a") == "20261123-061530-k3f9qx2a"
    local = datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=2)))
    assert incident_id(local, "x") == "20261122-230000-x"


def test_ids_sort_by_time() -> None:
    assert incident_id(t("09:59:59"), "zz") < incident_id(t("10:00"), "aa")

"""Drift against the last deliveries: told with the exact difference, refused where the thresholds say so, remembered for the next night."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.deliveries import NIGHTS, Row, deliver, golden_inbox, golden_rows, query, write_inbox

from warehouse.admit import stage
from warehouse.admit.errors import DeliveryRefused
from warehouse.receive.stage import receive

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("clean_db")]
CLIENTS = 240


def clients(count: int = CLIENTS, **changed: str) -> list[Row]:
    """So many clients, like the golden file's first; `changed` gives columns other values in every second row."""
    still_open = dict.fromkeys(("DISD", "DISRSN", "MODEND", "MODEXIT"), "NA")
    recent = {"REFLD": "10/10/2026"} | dict.fromkeys(("TRIAGED", "CPLANDT", "REFMODDT", "MODST", "TOPDATE"), "20/10/2026")
    first = golden_rows("treatment", "ndtms")[0] | still_open | recent
    return [first | {"CLIENTID": str(n), "EPISODID": f"{n}1"} | (changed if n % 2 else {}) for n in range(1, count + 1)]


def failed(delivery_id: int) -> dict[str, tuple[str, str]]:
    """Severity and message of what was found about the delivery, by rule."""
    found = query("select rule, severity, message from ops.check_result where delivery_id = %s and failed_rows > 0", delivery_id)
    return {rule: (severity, message) for rule, severity, message in found}


def night(tmp_path: Path, number: int, rows: list[Row]) -> int:
    return deliver("treatment", write_inbox(tmp_path / f"in{number}", "treatment", {"ndtms": rows}), f"night_{number}")


def refused(tmp_path: Path, number: int, rows: list[Row]) -> int:
    """A delivery that is refused when it is checked."""
    delivery_id = receive("treatment", write_inbox(tmp_path / f"in{number}", "treatment", {"ndtms": rows}), NIGHTS[f"night_{number}"])
    assert delivery_id is not None
    stage.load(delivery_id)
    with pytest.raises(DeliveryRefused):
        stage.check(delivery_id)
    return delivery_id


def test_a_shift_in_completeness_and_code_mix_warns_with_the_difference_once(tmp_path: Path) -> None:
    assert failed(night(tmp_path, 1, clients())) == {}
    shifted = clients(ETHNIC="B", PC="NA")
    found = failed(night(tmp_path, 2, shifted))
    assert set(found) == {"pc.completeness", "ethnic.code_mix"}
    assert found["pc.completeness"] == ("warn", "PC is filled in 50.0% of the rows, where the last admitted delivery had it in 100.0%")
    assert "B 50.0% (was 0.0%)" in found["ethnic.code_mix"][1]
    # It was admitted, so the next delivery is held against it too.
    assert failed(night(tmp_path, 3, [row | {"OPRAGNCY": "X"} for row in shifted[:-1]])).keys() <= {"opragncy.completeness"}


def test_losing_half_of_a_full_refresh_refuses_it(tmp_path: Path) -> None:
    night(tmp_path, 1, clients())
    delivery_id = refused(tmp_path, 2, clients(CLIENTS // 2 - 1))
    severity, message = failed(delivery_id)["row_count_change"]
    assert severity == "refuse" and message == "119 rows of ndtms came, where the last admitted delivery had 240; 120 to 360 are expected"


def test_an_old_extract_is_of_another_period(tmp_path: Path) -> None:
    old = dict.fromkeys(("REFLD", "TRIAGED", "CPLANDT", "REFMODDT", "MODST", "TOPDATE"), "01/06/2026")
    assert set(failed(refused(tmp_path, 1, [row | old for row in clients()]))) == {"wrong_period"}


def test_a_new_code_is_told_beside_the_rows_it_quarantines(tmp_path: Path) -> None:
    rows = [row | ({"ACCMNEED": "4"} if n < 6 else {}) for n, row in enumerate(clients())]
    delivery_id = night(tmp_path, 1, rows)
    found = failed(delivery_id)
    assert set(found) == {"accmneed.codes", "accmneed.new_code"}
    assert "ACCMNEED holds 4 (6 rows), which the code list accommodation_need does not have" in found["accmneed.new_code"][1]
    assert query("select rows_quarantined from ops.delivery_file where delivery_id = %s", delivery_id) == [(6,)]


def test_a_new_and_a_moved_column_warn_and_every_value_stays_in_its_column(tmp_path: Path) -> None:
    inbox = golden_inbox(tmp_path, "benefits", "night_1")
    (path,) = (inbox / "benefits").glob("employment_spells*")
    lines = [line.split("|") for line in path.read_text(encoding="utf-8").splitlines()]
    moved = ["|".join([line[0], line[2], line[1], *line[3:], "HOURS" if line is lines[0] else "16"]) for line in lines]
    path.write_text("\n".join(moved) + "\n", encoding="utf-8")
    delivery_id = deliver("benefits", inbox, "night_1")
    found = failed(delivery_id)
    assert found["new_column"][0] == "warn" and "HOURS" in found["new_column"][1]
    assert found["reordered_columns"][0] == "warn"
    jobs = query("select start_date::text, end_date::text, end_date_quality from source.benefits__employment_spells order by end_date")
    assert jobs == [("2024-05-01", "2025-04-05", "D"), ("2024-05-01", None, None)]
    assert query("select count(*) from source.benefits__employment_spells inner join source.benefits__claimants using (record_key)") == [(2,)]


def test_what_was_measured_is_kept_for_the_next_deliveries(tmp_path: Path) -> None:
    delivery_id = night(tmp_path, 1, clients())
    kept = dict(
        query("select concat_ws('.', nullif(column_name, ''), metric, nullif(item, '')), value from ops.delivery_profile where delivery_id = %s", delivery_id)
    )
    assert (kept["rows"], kept["pc.filled"], kept["disd.filled"], kept["ethnic.code.A"]) == (CLIENTS, 1.0, 0.0, 1.0)

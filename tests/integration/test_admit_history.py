"""History over several nights for both kinds of delivery, consent, duplicates, and refusals by the checks."""

from pathlib import Path

import pytest
from tests.integration.deliveries import NIGHTS, Row, deliver, golden_rows, query, write_inbox

from warehouse.admit import difference, stage
from warehouse.admit.errors import DeliveryRefused
from warehouse.receive.stage import receive

pytestmark = pytest.mark.integration


def versions(relation: str, column: str) -> list[tuple[str, str, str | None]]:
    """Each version's value, first night and last night (as days of the month), in order."""
    rows = query(f"select {column}, _valid_from, _valid_to from {relation} order by 1, 2, 3 nulls last")
    return [(value, str(start.day), str(end.day) if end else None) for value, start, end in rows]


def client(number: int, **values: str) -> Row:
    """A good treatment row of a client of its own."""
    row = golden_rows("treatment", "ndtms")[0]
    return row | {"CLIENTID": str(number), "CLIENT": f"L{number}", "EPISODID": str(number)} | values


def treat(tmp_path: Path, night: str, rows: list[Row]) -> dict[str, int]:
    """Deliver a treatment snapshot; returns the counts of its admission."""
    deliver("treatment", write_inbox(tmp_path / f"{night}-{len(rows)}", "treatment", {"ndtms": rows}), night)
    (counts,) = query("select counts from ops.stage_run where stage = 'admit' order by stage_run_id desc limit 1")[0]
    return dict(counts)


def nominal(number: int, change: str = "I", **values: str) -> Row:
    """A row of a police nominal; a deletion has its key alone."""
    key = {"CHANGE_TYPE": change, "NOMINAL_ID": f"N{number}"}
    return key if change == "D" else golden_rows("police", "nominals")[0] | key | values


def police(tmp_path: Path, night: str, rows: list[Row]) -> int:
    return deliver("police", write_inbox(tmp_path / night, "police", {"nominals": rows}), night)


def test_a_snapshot_closes_what_is_gone_and_what_changed(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1, ETHNIC="A"), client(2, ETHNIC="B"), client(3, ETHNIC="C")])
    counts = treat(tmp_path, "night_2", [client(1, ETHNIC="A"), client(2, ETHNIC="D")])
    assert counts == {"received": 2, "admitted": 1, "quarantined": 0, "unchanged": 1, "erased": 0, "closed": 1, "replayed": 0}
    treat(tmp_path, "night_3", [client(1, ETHNIC="A"), client(2, ETHNIC="B"), client(3, ETHNIC="C")])
    assert versions("source.treatment__ndtms", "ethnic") == [
        ("A", "1", None), ("B", "1", "2"), ("B", "3", None), ("C", "1", "2"), ("C", "3", None), ("D", "2", "3"),
    ]  # fmt: skip
    assert versions("vault.treatment__ndtms", "clientid") == [("1", "1", None), ("2", "1", None), ("3", "1", "2"), ("3", "3", None)]


def test_changed_identifiers_leave_the_source_zone_alone(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1, PC="AB1 2")])
    counts = treat(tmp_path, "night_2", [client(1, PC="AB3 4")])
    assert (counts["admitted"], counts["unchanged"]) == (1, 0)
    assert versions("vault.treatment__ndtms", "pc") == [("AB1 2", "1", "2"), ("AB3 4", "2", None)]
    assert versions("source.treatment__ndtms", "refld::text") == [("2026-03-01", "1", None)]


def test_a_row_refused_tonight_keeps_its_last_good_version(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1, ETHNIC="A"), client(2)])
    counts = treat(tmp_path, "night_2", [client(1, ETHNIC="B", SEX="X"), client(2)])
    assert (counts["quarantined"], counts["closed"]) == (1, 0)
    assert ("A", "1", None) in versions("source.treatment__ndtms", "ethnic")
    assert ("1", "1", None) in versions("vault.treatment__ndtms", "clientid")


def test_a_second_delivery_of_a_night_replaces_the_first(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1, ETHNIC="A", PC="AB1 2")])
    treat(tmp_path, "night_2", [client(1, ETHNIC="B", PC="AB3 4")])
    treat(tmp_path / "again", "night_2", [client(1, ETHNIC="C", PC="AB5 6")])
    assert versions("source.treatment__ndtms", "ethnic") == [("A", "1", "2"), ("C", "2", None)]
    assert versions("vault.treatment__ndtms", "pc") == [("AB1 2", "1", "2"), ("AB5 6", "2", None)]


def test_without_consent_only_what_the_contract_keeps_is_admitted(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1), client(2, CONSENT="N"), client(3, CONSENT="N", AGNCY="bad")])
    filled = "(select count(*) from jsonb_each_text(jsonb_strip_nulls(to_jsonb(t))) where left(key, 1) <> '_' and key not like '%%_key')"
    assert query(f"select {filled}, agncy, consent from source.treatment__ndtms as t where not consent") == [(2, "N0852", False)]
    assert query("select clientid from vault.treatment__ndtms") == [("1",)]
    (raw,) = query("select raw from quarantine.refused_row")[0]
    assert {name for name, value in raw.items()} == {"agncy", "clientid", "consent"}


def test_withdrawn_consent_removes_identifiers_and_their_history(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1, PC="AB1 2"), client(2)])
    treat(tmp_path, "night_2", [client(1, PC="AB3 4"), client(2)])
    treat(tmp_path, "night_3", [client(1, CONSENT="N"), client(2)])
    assert {value for value, _, _ in versions("vault.treatment__ndtms", "clientid")} == {"2"}
    assert query("select count(*) from source.treatment__ndtms where _valid_to is null and consent") == [(1,)]


def test_one_episode_without_consent_leaves_the_identifiers_of_the_others(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(1), client(1, EPISODID="9")])
    treat(tmp_path, "night_2", [client(1), client(1, EPISODID="9", CONSENT="N")])
    assert versions("vault.treatment__ndtms", "clientid") == [("1", "1", None)]


def test_changes_insert_update_and_delete(clean_db: Path, tmp_path: Path) -> None:
    police(tmp_path, "night_1", [nominal(1, ETHNIC_OBSERVED="1"), nominal(2, ETHNIC_OBSERVED="2"), nominal(3, ETHNIC_OBSERVED="3")])
    police(tmp_path, "night_2", [nominal(1, "U", ETHNIC_OBSERVED="4"), nominal(2, "D"), nominal(9, "D")])
    police(tmp_path, "night_3", [nominal(2, "I", ETHNIC_OBSERVED="2"), nominal(3, "I", ETHNIC_OBSERVED="3")])
    assert versions("source.police__nominals", "ethnic_observed") == [
        ("1", "1", "2"), ("2", "1", "2"), ("2", "3", None), ("3", "1", None), ("4", "2", None),
    ]  # fmt: skip
    assert versions("vault.police__nominals", "nominal_id") == [("N1", "1", None), ("N2", "1", "2"), ("N2", "3", None), ("N3", "1", None)]
    counts = query("select rows_admitted, rows_unchanged from ops.delivery_file order by delivery_id")
    assert counts == [(3, 0), (2, 1), (1, 1)]


def test_a_deletion_needs_its_key_alone(clean_db: Path, tmp_path: Path) -> None:
    police(tmp_path, "night_1", [nominal(1)])
    police(tmp_path, "night_2", [nominal(1, "D"), {"CHANGE_TYPE": "D"}])
    assert query("select rules from quarantine.refused_row") == [(["nominal_id.required"],)]
    assert query("select count(*) from source.police__nominals where _valid_to is null") == [(0,)]


def test_contradictory_rows_of_one_key_are_all_refused_and_repeats_kept_once(clean_db: Path, tmp_path: Path) -> None:
    rows = [nominal(1), nominal(1), nominal(1, SURNAME="Other"), nominal(2), nominal(2), nominal(2), nominal(3), nominal(4, NOMINAL_ID="")]
    delivery_id = police(tmp_path, "night_1", rows)
    assert query("select row_number, rules from quarantine.refused_row order by 1") == [
        (1, ["duplicate_key"]), (2, ["duplicate_key"]), (3, ["duplicate_key"]), (8, ["nominal_id.required"]),
    ]  # fmt: skip
    assert query("select rows_admitted, rows_quarantined, rows_unchanged from ops.delivery_file where delivery_id = %s", delivery_id) == [(2, 4, 2)]
    assert query("select _row_number from source.police__nominals order by 1") == [(4,), (7,)]


def test_too_large_a_share_of_failing_rows_refuses_the_delivery(clean_db: Path, tmp_path: Path) -> None:
    rows = [client(number, SEX="M" if number % 3 == 0 else "X") for number in range(60)]
    delivery_id = receive("treatment", write_inbox(tmp_path, "treatment", {"ndtms": rows}), NIGHTS["night_1"])
    assert delivery_id is not None
    with pytest.raises(DeliveryRefused, match=r"40 of 60 rows of ndtms break rules.*\[failing_share\]"):
        stage.check(delivery_id)  # loads first
    failed = dict(query("select rule, failed_rows from ops.check_result where failed_rows > 0"))
    assert failed.items() >= {"failing_share": 40, "sex.codes": 40}.items()
    assert query("select count(*) from source.treatment__ndtms") == [(0,)]


def test_a_snapshot_that_shrinks_too_much_is_refused(clean_db: Path, tmp_path: Path) -> None:
    treat(tmp_path, "night_1", [client(number) for number in range(10)])
    delivery_id = receive("treatment", write_inbox(tmp_path / "small", "treatment", {"ndtms": [client(1)]}), NIGHTS["night_2"])
    assert delivery_id is not None
    stage.load(delivery_id)
    with pytest.raises(DeliveryRefused, match=r"1 rows of ndtms came, where the last admitted delivery had 10.*\[row_count_change\]"):
        stage.check(delivery_id)
    assert query("select count(*) from source.treatment__ndtms where _valid_to is null") == [(10,)]


def test_a_few_changes_to_a_large_table_are_found_by_their_keys(clean_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    police(tmp_path, "night_1", [nominal(number, ETHNIC_OBSERVED=str(number % 3 + 1)) for number in range(1, 3001)])
    monkeypatch.setattr(difference, "all_pairs", lambda *_: pytest.fail("the whole table was read for five rows"))
    changed = (
        nominal(1, "U", ETHNIC_OBSERVED="4"),
        nominal(2, "D"),
        nominal(3, ETHNIC_OBSERVED="1"),
        nominal(4, ETHNIC_OBSERVED="2", SURNAME="New"),
        nominal(5000, "D"),
    )
    police(tmp_path, "night_2", list(changed))
    assert query("select rows_admitted, rows_unchanged from ops.delivery_file order by delivery_id")[1] == (3, 2)
    assert query("select count(*) filter (where _valid_to is null), count(*) from source.police__nominals") == [(2999, 3001)]
    ended = "select nominal_id from vault.police__nominals where _valid_to is not null order by 1"
    assert query(ended) == [("N2",), ("N4",)] and query("select nominal_id from vault.police__nominals where surname = 'New'") == [("N4",)]

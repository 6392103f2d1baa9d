"""Three nights of made-up records in `ops`, and small marts, for the tests of the summary and the report."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from psycopg import Connection, sql

from warehouse.database import connect, ops
from warehouse.publish import gate
from warehouse.publish.slots import idle_slot
from warehouse.publish.stage import publish

NIGHTS = tuple(date(2026, 11, day) for day in (1, 2, 3))
LAST = NIGHTS[-1]
DEFINITIONS = Path(__file__).parents[2] / "dbt_project" / "seeds" / "reference" / "indicator_definitions.csv"
TABLES = {
    "treatment": ["ndtms"],
    "police": ["nominals", "offences"],
    "benefits": ["claimants", "benefit_spells"],
    "housing": ["cases", "people"],
}
FIRST_ROWS = {"treatment": 41_230, "police": 63_120, "benefits": 88_410, "housing": 12_050}
REASONS = [
    ("discharge_before_triage", "quarantine", 31, "The discharge date is before the triage date; correct one of the two"),
    ("SEX in sex", "quarantine", 12, "The code is not in the list sex"),
    ("PC pattern", "warn", 204, "The postcode sector does not have the form of a sector"),
]
EXPECTED = {"marts": frozenset({"dim_person", "outcome_recovery"}), "published": frozenset({"published_recovery_outcomes"})}
INDICATORS = ("successful_completion", "re_presentation_6m", "proven_reoffence_12m", "settled_accommodation_6m")
# Journeys of each status for each indicator; the numbers the tests expect.
STATUSES = {
    "successful_completion": {"yes": 203, "no": 197},
    "re_presentation_6m": {"yes": 3, "no": 200, "not applicable": 197},
    "proven_reoffence_12m": {"yes": 61, "no": 189, "not linked": 100, "censored by death": 2, "not yet observable": 48},
    "settled_accommodation_6m": {"not linked": 398, "no": 2},
}
JOURNEYS = 400
PAIRS = {("treatment", "police"): 812, ("benefits", "treatment"): 1_204, ("housing", "treatment"): 3, ("benefits", "police"): 640}


def deliver(connection: Connection[tuple[object, ...]], night: date, number: int, *, without: str | None = None, refused: str | None = None) -> None:
    """A night's deliveries; night 1 holds all history, treatment comes whole every night."""
    for feed, tables in TABLES.items():
        if feed == without:
            continue
        status, message = ("refused", f"{feed}_{number}.csv: the file has no column CLIENTID; send it again") if feed == refused else ("admitted", None)
        row = connection.execute(
            "insert into ops.delivery (feed, night, content_hash, status, message) values (%s, %s, %s, %s, %s) returning delivery_id",
            [feed, night, f"{feed} {night}", status, message],
        ).fetchone()
        assert row is not None
        for place, table in enumerate(tables):
            rows = FIRST_ROWS[feed] // (place + 1) if number == 1 or feed == "treatment" else FIRST_ROWS[feed] // 160
            unchanged = rows - rows // 50 if feed == "treatment" and number > 1 else 0
            counts = [None] * 4 if status == "refused" else [rows, rows - unchanged - 43, 43, unchanged]
            connection.execute(
                "insert into ops.delivery_file values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [row[0], table, f"{table}.csv", rows * 80, "0" * 64, *counts],
            )
            for rule, severity, failed, text in REASONS if status == "admitted" else []:
                connection.execute(
                    "insert into ops.check_result values (%s, %s, %s, null, %s, %s, %s, %s)",
                    [row[0], table, rule, severity, rows, failed + place, text],
                )


def measure(connection: Connection[tuple[object, ...]], night: date, number: int) -> None:
    """A night's linkage measures, with accuracy on the last."""
    rows: list[tuple[str, str, str, float]] = [("persons_total", "", "", 9_000 + 40 * number)]
    for feed, share in (("treatment", 0.61), ("police", 0.55), ("benefits", 0.31), ("housing", 0.72)):
        rows += [
            ("records", feed, "", FIRST_ROWS[feed] // 10),
            ("persons", feed, "", FIRST_ROWS[feed] // 12),
            ("share_linked", feed, "", share),
        ]
        rows += [("persons_in_both", feed, feed, 57), ("completeness_dob", feed, "", 0.98), ("completeness_nino", feed, "", 0.2)]
    rows += [("persons_in_both", *sorted(pair), count) for pair, count in PAIRS.items()]
    rows += [(f"clusters_of_{band}", "", "", count) for band, count in {"1": 6_100, "2": 1_900, "3": 700, "4_to_9": 330, "10_or_more": 2}.items()]
    rows += [(f"person_{event}", "", "", count) for event, count in {"created": 60, "merged": 12, "split": 2, "retired": 9}.items()]
    rows.append(("edges_cut_by_conflict", "", "", 4))
    for metric, feed_a, feed_b, value in rows:
        connection.execute("insert into ops.linkage_metric values (%s, %s, %s, %s, %s)", [night, metric, feed_a, feed_b, value])


def build_marts(night: date) -> None:
    """Small marts with known numbers, published for the night."""
    with connect("transformer") as connection:
        connection.execute("drop table if exists reference.indicator_definitions")
        connection.execute(
            "create table reference.indicator_definitions (indicator text, title text, version int, window_length int, window_unit text,"
            " wait_months int, feeds text, definition text, source text, certainty text, measure text, per int, polarity text, period text)"
        )
        with connection.cursor().copy("copy reference.indicator_definitions from stdin with (format csv, header)") as copy:
            copy.write(DEFINITIONS.read_bytes())
        slot = idle_slot(connection)
        for schema, tables in (("marts", EXPECTED["marts"]), ("published", EXPECTED["published"])):
            for table in tables:
                connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(f"{schema}_{slot}", table)))
        connection.execute(f"create table marts_{slot}.dim_person as select gen_random_uuid() as person_id, 1 as record_count from generate_series(1, 9040)")
        connection.execute(f"create table marts_{slot}.outcome_recovery as select {_outcome_columns(night)} from generate_series(0, {JOURNEYS - 1}) n")
        connection.execute(f"create table published_{slot}.published_recovery_outcomes as {_trend()}")
    for stage in gate.BUILD_STAGES:
        with ops.stage_run(night, stage):
            pass


def _outcome_columns(night: date) -> str:
    columns = ["gen_random_uuid() as journey_id", "md5(n::text)::uuid as person_id"]
    for indicator, statuses in STATUSES.items():
        cases, past = [], 0
        for status, count in statuses.items():
            past += count
            cases.append(f"when n < {past} then '{status}'")
        columns.append(f"case {' '.join(cases)} end as {indicator}")
        columns.append(f"date '{night - timedelta(days=30)}' as {indicator}_observable_on")
    return ", ".join(columns)


def _trend() -> str:
    years = ", ".join(f"('{year}-{year % 100 + 1}', {year < 2026})" for year in range(2021, 2027))
    return (
        "select i.indicator as outcome, y.year as end_financial_year, 'all areas' as area_level, 'all' as drug_group, 400 as journeys_linked,"
        " r.rate as percent_of_linked, r.rate - 4.4 as percent_of_linked_lower_95, r.rate + 4.6 as percent_of_linked_upper_95,"
        " y.complete as is_follow_up_complete"
        f" from (values {years}) y (year, complete)"
        f" cross join unnest(array{list(INDICATORS)}) with ordinality i (indicator, place)"
        " cross join lateral (select (30 + 7 * i.place + 3 * sin(left(y.year, 4)::int * i.place))::numeric(5, 1) as rate) r"
    )


def three_nights(*, last_without: str | None = None, last_refused: str | None = None) -> None:
    """Deliveries, linkage and times of three nights, each published; the caller sets `gate.expected_tables` to EXPECTED."""
    for number, night in enumerate(NIGHTS, start=1):
        is_last = night == LAST
        with connect("admin") as connection:
            deliver(connection, night, number, without=last_without if is_last else None, refused=last_refused if is_last else None)
            measure(connection, night, number)
        build_marts(night)
        publish(night)
        with connect("admin") as connection:
            connection.execute("update ops.stage_run set ended_at = started_at + (stage_run_id %% 7 + 1) * interval '1.7 s' where night = %s", [night])

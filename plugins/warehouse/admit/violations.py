"""Which rows of a delivery broke which rules: `<table>.violations.parquet`, `.refused.parquet` and `.repeated.parquet`.

Rules about single rows were asked when the typed rows were written, and stand there as positions in `_broken`; here the rules
about several rows are added: rows that share a key, and those of `contracts.compile` that look across rows and tables.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.admit import parse
from warehouse.admit.facts import RuleFacts
from warehouse.admit.parse import Source
from warehouse.contracts.compile import across_checks, kind, row_checks
from warehouse.contracts.ddl import literal, quoted
from warehouse.contracts.model import Contract, Table
from warehouse.contracts.predicates import ASKED, rows_of
from warehouse.contracts.suite import COMPLETE_ROW, DUPLICATE_KEY, REPEATED_ROW, Rule

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MALFORMED_ROW = "malformed_row"
COMPLETE = "not (_withheld or _deleted)"


class TableViolations:
    """The statements that find one table's violations, with the names they share.

    The session has a view `rows_of(table)` on every table's typed rows, so that rules may look across tables.
    """

    def __init__(self, contract: Contract, table: Table, rules: list[Rule], source: Source, malformed: Path, session: DuckDBPyConnection) -> None:
        self.contract, self.table, self.rules, self.source, self.session = contract, table, rules, source, session
        self.malformed = f"read_parquet({literal(str(malformed))})"
        self.rows = quoted(rows_of(table.name))
        self.checks = row_checks(rules)

    def find(self, violations: Path, refused: Path, repeated: Path) -> tuple[list[RuleFacts], int, int]:
        """Write the files; returns what each rule found, and the numbers of refused and of repeated rows."""
        self._list_broken()
        self._find_duplicates()
        checked_across = self._ask_across()
        self._write_violations(violations)
        return self._facts(checked_across), self._write_refused(refused), self._write_repeated(repeated)

    def _list_broken(self) -> None:
        """`broken`: one row per row and rule it broke, with whether the row is one that must carry everything."""
        self.session.execute("create or replace temp table rules (rule varchar, severity varchar, column_name varchar)")
        self.session.executemany("insert into rules values (?, ?, ?)", [[r.code, r.severity, r.column] for r in self.rules])
        codes = ", ".join(literal(check.rule.code) for check in self.checks)
        self.session.execute(f"""
            create or replace temp table broken as
            select _row_number, ([{codes}]::varchar[])[unnest(_broken) + 1] as rule, {COMPLETE} as is_complete from {self.rows} where _broken is not null
        """)

    def _find_duplicates(self) -> None:
        """Rows that share a row key: the same content repeated, or contents that contradict each other.

        Rows that lack a required part of the key are left to the rule that requires it. Candidates are found by a hash of
        the key, which takes a third of the memory of the key itself.
        """
        present = " and ".join(f"{quoted(c.field)} is not null" for c in self.table.key_columns("row_key") if c.required)
        whole = f"(({present}) or _withheld)"
        content = ", ".join([*(quoted(c.field) for c in self.table.columns), "_broken"])
        self.session.execute(f"""
            create or replace temp table sharing as
            select _row_number, row_key, row({content})::varchar as words from {self.rows}
            where {whole} and hash(row_key) in (select hash(row_key) from {self.rows} where {whole} group by all having count(*) > 1)
        """)
        self.session.execute(f"""
            insert into broken
            select _row_number, case when is_contradictory then {literal(DUPLICATE_KEY)} else {literal(REPEATED_ROW)} end, true
            from (
                select _row_number, min(_row_number) over same as first_row, count(*) over same as sharing,
                       min(words) over same <> max(words) over same as is_contradictory
                from sharing window same as (partition by row_key)
            )
            where sharing > 1 and (is_contradictory or _row_number > first_row)
        """)

    def _ask_across(self) -> int:
        """Add what the rules across rows find; returns the number of rows they were asked of."""
        quarantining = "select _row_number from broken join rules using (rule) where severity <> 'warn' or rule = " + literal(REPEATED_ROW)
        checks = across_checks(self.rules)
        if not checks:
            return 0
        self.session.execute(f"create or replace temp table unasked as select distinct _row_number from ({quarantining})")
        self.session.execute(f"create or replace temp view {ASKED} as select * from {self.rows} anti join unasked using (_row_number) where not _deleted")
        found = " union all ".join(f"select _row_number, {literal(check.rule.code)} as rule, true from ({check.broken})" for check in checks)
        self.session.execute(f"insert into broken {found}")
        ((asked,),) = self.session.execute(f"select count(*) from {ASKED}").fetchall()
        return int(asked)

    def _write_violations(self, target: Path) -> None:
        named = ", ".join(f"{literal(c.name + ' ')} || {quoted(c.field)}" for c in self.table.key_columns("row_key"))
        record_key = "record_key" if "record_key" in self.table.keys else "null::uuid as record_key"
        self.session.execute(f"""
            copy (
                select _row_number, rule, severity, column_name, concat_ws(', ', {named}) as record_id, {record_key}
                from broken join rules using (rule) join {self.rows} using (_row_number)
                union all
                select _row_number, {literal(MALFORMED_ROW)}, 'quarantine', null, null, null from {self.malformed}
                order by _row_number, rule
            ) to {literal(str(target))} (format parquet)
        """)

    def _write_refused(self, target: Path) -> int:
        """Rows as they came, without fields that held nothing and without what consent does not let us keep."""
        everything = "{" + ", ".join(f"{literal(c.field)}: {quoted(c.field)}" for c in self.table.columns) + "}"
        raw = f"to_json({everything})"
        if self.contract.consent is not None:
            kept = "{" + ", ".join(f"{literal(c.field)}: {quoted(c.field)}" for c in self.table.columns if c.name in self.contract.consent.keep) + "}"
            raw = f"case when _withheld then to_json({kept}) else {raw} end"
        record_key = "record_key" if "record_key" in self.table.keys else "null::uuid"
        ((count,),) = self.session.execute(f"""
            copy (
                with refused as (
                    select _row_number, list_sort(list(rule)) as rules from broken join rules using (rule) where severity = 'quarantine' group by _row_number
                ), kinds as (
                    select _row_number, rules, _withheld, {record_key} as key from refused join {self.rows} using (_row_number)
                )
                select _row_number, rules, json_merge_patch('{{}}', {raw})::varchar as raw, key as record_key
                from {parse.numbered(self.source, self.source.raw)} join kinds using (_row_number)
                union all
                select _row_number, [{literal(MALFORMED_ROW)}], to_json({{'fields': fields}})::varchar, null from {self.malformed}
                order by _row_number
            ) to {literal(str(target))} (format parquet)
        """).fetchall()
        return int(count)

    def _write_repeated(self, target: Path) -> int:
        """Repeats that are not refused for what they repeat."""
        refused = "select _row_number from broken join rules using (rule) where severity = 'quarantine'"
        repeated = f"select _row_number from broken where rule = {literal(REPEATED_ROW)} and _row_number not in ({refused}) order by _row_number"
        ((count,),) = self.session.execute(f"copy ({repeated}) to {literal(str(target))} (format parquet)").fetchall()
        return int(count)

    def _facts(self, checked_across: int) -> list[RuleFacts]:
        ((rows, complete),) = self.session.execute(f"select count(*), count(*) filter ({COMPLETE}) from {self.rows}").fetchall()
        failed = {rule: (every, of_complete) for rule, every, of_complete in self.session.execute(
            "select rule, count(*), count(*) filter (is_complete) from broken group by rule"
        ).fetchall()}  # fmt: skip
        unparsed = {check.rule.kwargs["column"]: check.rule.code for check in self.checks if str(check.rule.kwargs.get("column")).endswith("__unparsed")}

        def checked(rule: Rule) -> int:
            if kind(rule) == "across":
                return checked_across
            is_of_complete = rule.where_set == (COMPLETE_ROW,)
            left_out = sum(failed.get(unparsed[marker], (0, 0))[is_of_complete] for marker in rule.where_unset)
            return int((complete if is_of_complete else rows) - left_out)

        return [RuleFacts(rule.code, checked(rule), failed.get(rule.code, (0, 0))[0]) for rule in self.rules if kind(rule) != "delivery"]

"""Score two files by minimal identifiers, as the night links clients to persons: `warehouse linkage score --minimal`.

Of the left file only initials, date of birth, sex and the coarse part of the postcode are used; the right file is the persons,
each record one. Blocking, levels, posterior and leader margin are those of the night, by the minimal model in force.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from warehouse.link import evidence, minimal
from warehouse.link.extract import RAW_EVIDENCE
from warehouse.link.models import policy
from warehouse.link.workspace import run_script

if TYPE_CHECKING:
    import duckdb

    from warehouse.link.file_mapping import Mapping
    from warehouse.link.models import Certainty

# A place as it is written, where it is no British postcode: whole, without its last character, without its last two.
PLAIN_PLACES = """
create or replace macro clean_sector(text_value) as nullif(letters_and_digits(text_value), '');
create or replace macro district_of_sector(sector) as left(sector, greatest(length(sector) - 1, 1));
create or replace macro area_of_sector(sector) as left(sector, greatest(length(sector) - 2, 1))
"""

# A misspelt date such as 31 February is no date, and so no evidence here. Where a file has no sex, all count as of one: rules
# that ask for it still nominate pairs, and the level's one bit is the same for every candidate.
RECORDS = """
insert into raw_evidence by name
select
    md5(side || '|' || id)::uuid as record_key, side as feed, side = 'right' as is_named, true as is_main,
    case when side = 'right' then forename end as forename, case when side = 'right' then surname end as surname,
    left(forename, 1) as forename_initial, left(surname, 1) as surname_initial, try_cast(dob as date) as dob, {sex} as sex, {sector} as postcode_sector
from file_row
"""

# The links of the night stand on the smallest record number of a pooled client; here every record of it is linked.
LINKS = """
create or replace table file_unit as
select u.record_no, u.unit_no, f.id, f.side from unit as u inner join record as r using (record_no)
inner join file_row as f on md5(f.side || '|' || f.id)::uuid = r.record_key;
create or replace table file_link as
select l.id as id_l, r.id as id_r, e.match_weight
from person_edge as e
inner join file_unit as l on l.unit_no in (e.record_l, e.record_r) and l.side = 'left'
inner join file_unit as r on r.unit_no in (e.record_l, e.record_r) and r.side = 'right'
where e.match_probability >= {posterior};
create or replace table file_pair as
select l.id as id_l, r.id as id_r, w.match_weight
from person_weight as w inner join file_unit as l on l.unit_no = w.unit_a inner join file_unit as r on r.unit_no = w.unit_b
"""


def predict_minimal(session: duckdb.DuckDBPyConnection, mapping: Mapping, certainty: Certainty) -> None:
    """From `file_row` of two sides, make `file_link`, the links at a certainty, and `file_pair`, all candidates (id_l, id_r, match_weight)."""
    rules = policy()
    session.execute(RAW_EVIDENCE).fetchall()
    evidence.fingerprint(session, date.max)
    session.execute(RECORDS.format(sex="sex" if mapping.sex else "'M'", sector="sector_of_postcode(postcode)" if mapping.uk else "postcode")).fetchall()
    if not mapping.uk:
        session.execute(PLAIN_PLACES).fetchall()
    session.execute("set variable room = 1").fetchall()
    evidence.lay_out(session)
    run_script(session, "first_night.sql")
    session.execute("create or replace table named_cluster (record_no int, cluster_no int)").fetchall()
    minimal.score(session, rules)
    session.execute(LINKS.format(posterior=rules.minimal.posterior[certainty])).fetchall()

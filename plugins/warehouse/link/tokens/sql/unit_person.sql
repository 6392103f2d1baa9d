-- What the units of `unit_to_lay_out` (record_no, unit_no, side, is_changed) were recorded as. Initials and dates of birth are tokens of both
-- together, so a unit's rows are the combinations that were recorded.

create or replace table unit_person as
select distinct u.unit_no, u.side, bool_or(u.is_changed) over (partition by u.unit_no) as is_changed, p.* exclude (record_no)
from unit_to_lay_out as u inner join record_person as p using (record_no);

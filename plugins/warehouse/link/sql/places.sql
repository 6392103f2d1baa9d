-- One row per record: its places (`record_place`) as sorted lists. Most records have one place alone, and need no sorting.
create or replace table record_places as
with several as (select record_no from record_place group by record_no having count(*) > 1)
select record_no, case when postcode is not null then [postcode] end as postcodes, [sector] as sectors, [district] as districts
from record_place anti join several using (record_no)
union all
select
    record_no,
    list_sort(list(distinct postcode) filter (postcode is not null)),
    list_sort(list(distinct sector)),
    list_sort(list(distinct district))
from record_place semi join several using (record_no)
group by record_no;

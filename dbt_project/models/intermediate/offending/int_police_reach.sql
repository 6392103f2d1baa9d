-- One row, also when no offence was ever delivered. Coverage has an end that deliveries tell; nothing tells its start,
-- so whoever knows it says so in a variable.
select coalesce(nullif('{{ var("police_known_from") }}', '')::date, min(offence_date)) as known_from
from {{ ref('stg_police__offences') }}

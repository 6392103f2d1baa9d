-- Agencies send districts, former districts or upper-tier authorities; each leads to one present upper-tier authority.
select
    lad_code as local_authority_code,
    utla_code as area_code
from {{ ref('local_authorities') }}

union

select
    utla_code as local_authority_code,
    utla_code as area_code
from {{ ref('police_force_areas') }}

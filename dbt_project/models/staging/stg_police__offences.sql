select
    record_key,
    row_key,
    ho_class as offence_class,
    ho_subclass as offence_subclass,
    offence_group as force_offence_group,
    offence_date,
    proven_by as proven_by_code,
    disposal_code,
    disposal_date,
    custody_start as custody_start_date,
    custody_end as custody_end_date,
    -- what is no code of an LSOA may be anything, an address among it
    case when lsoa_code ~ '^[EW]01[0-9]{6}$' then lsoa_code end as lsoa_code
from {{ source('police', 'police__offences') }}
where {{ valid_on_night() }}

select
    record_key,
    row_key,
    start_date,
    end_date,
    end_date_quality = 'D' as is_end_defaulted
from {{ source('benefits', 'benefits__employment_spells') }}
where {{ valid_on_night() }}

select
    record_key,
    row_key,
    benefit_type as benefit_type_code,
    conditionality as conditionality_code,
    start_date,
    end_date,
    end_reason as end_reason_code
from {{ source('benefits', 'benefits__benefit_spells') }}
where {{ valid_on_night() }}

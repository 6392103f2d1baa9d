select
    record_key,
    sex,
    birth_year,
    lad_code as local_authority_code,
    client_group as client_group_code,
    service_type as service_type_code,
    entry_date,
    exit_date,
    planned_exit as is_planned_exit,
    settled_need as has_settled_accommodation_need,
    settled_achieved as has_achieved_settled_accommodation
from {{ source('housing', 'housing__support_services') }}
where {{ valid_on_night() }}

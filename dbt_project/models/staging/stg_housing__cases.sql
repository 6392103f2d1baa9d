select
    case_key,
    lad_code as local_authority_code,
    application_date,
    assessment_decision as assessment_decision_code,
    accommodation_at_application as accommodation_code,
    loss_reason as loss_reason_code
from {{ source('housing', 'housing__cases') }}
where {{ valid_on_night() }}

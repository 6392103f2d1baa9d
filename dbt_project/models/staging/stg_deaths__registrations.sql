select
    record_key,
    sex,
    birth_year,
    lad_code as local_authority_code,
    date_of_death as death_date,
    date_registered as registration_date,
    registration_district as registration_district_code,
    place_of_death as place_of_death_code,
    certified_by as certified_by_code,
    underlying_cause as underlying_cause_code,
    cause_1 as cause_1_code,
    cause_2 as cause_2_code,
    cause_3 as cause_3_code,
    cause_4 as cause_4_code,
    cause_5 as cause_5_code,
    cause_6 as cause_6_code
from {{ source('deaths', 'deaths__registrations') }}
where {{ valid_on_night() }}

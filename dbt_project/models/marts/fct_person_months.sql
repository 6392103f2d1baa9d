{{ config(
    materialized='incremental',
    indexes=[{'columns': ['person_id', 'month_start'], 'unique': true}, {'columns': ['month_start']}]
) }}

select
    months.person_id,
    months.month_start,
    months.days_in_treatment > 0 as in_treatment,
    months.days_in_treatment::integer as days_in_treatment,
    months.drug_group,
    months.proven_offences::integer as proven_offences,
    months.arrests::integer as arrests,
    months.days_on_out_of_work_benefit > 0 as on_out_of_work_benefit,
    months.days_on_out_of_work_benefit::integer as days_on_out_of_work_benefit,
    months.days_in_work > 0 as in_work,
    months.days_in_work::integer as days_in_work,
    months.is_settled,
    months.nights_in_custody > 0 as in_custody,
    months.nights_in_custody::integer as nights_in_custody,
    months.is_alive
from {{ ref('int_person_months') }} as months
where
    {{ balanced('months.person_id') }}
    and (
        {{ to_build('months.person_id') }}
        {% if is_incremental() and is_nightly() -%}
            or months.month_start > (select max(written.month_start) from {{ this }} as written)
        {%- endif %}
    )

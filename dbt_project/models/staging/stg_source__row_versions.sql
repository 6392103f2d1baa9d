{#- Every source table whose rows hang on a person's record, and those that hang on a housing case. -#}
{%- set tables_of_records = [
    ('treatment', 'treatment__ndtms'),
    ('police', 'police__nominals'),
    ('police', 'police__aliases'),
    ('police', 'police__addresses'),
    ('police', 'police__offences'),
    ('police', 'police__arrests'),
    ('benefits', 'benefits__claimants'),
    ('benefits', 'benefits__benefit_spells'),
    ('benefits', 'benefits__employment_spells'),
    ('housing', 'housing__people'),
    ('housing', 'housing__support_services'),
    ('custody', 'custody__receptions'),
    ('custody', 'custody__releases'),
    ('deaths', 'deaths__registrations'),
    ('priority_offenders', 'priority_offenders__nominations'),
] -%}
{%- set tables_of_cases = ['cases', 'duties', 'support_needs', 'temporary_accommodation'] -%}
-- The whole history: a night's change are the versions that began or ended in it.
{%- for feed, table in tables_of_records %}
    {% if not loop.first %}
        union all
    {% endif %}
    select
        record_key,
        _valid_from as valid_from,
        _valid_to as valid_to
    from {{ source(feed, table) }}
{%- endfor %}
{%- for table in tables_of_cases %}

    union all

    select
        people.record_key,
        versions._valid_from as valid_from,
        versions._valid_to as valid_to
    from {{ source('housing', 'housing__' ~ table) }} as versions
    inner join {{ source('housing', 'housing__people') }} as people on versions.case_key = people.case_key
{%- endfor %}

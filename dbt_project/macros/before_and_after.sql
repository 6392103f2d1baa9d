{#- The windows on both sides of a day in which offences count, and the days before which they must be proven:
    before_from, before_proven_before, after_before and after_proven_before. The same wait on both sides, so that neither
    has longer for its offences to come to court.
    Args: day; window and wait, in months. -#}
{% macro windows_around(day, window, wait) -%}
    {{ add_months(day, '-(' ~ window ~ ')') }} as before_from,
    {{ add_months(day, wait) }} as before_proven_before,
    {{ add_months(day, window) }} as after_before,
    {{ add_months(day, window ~ ' + ' ~ wait) }} as after_proven_before
{%- endmacro %}


{#- The nights in custody on both sides of a day, days_before and days_after, one row for each row with any.
    Args: relation, which has person_id, before_from and alive_before, the day before which the time after ends; key, the
    column that tells its rows; day. -#}
{% macro nights_in_custody_around(relation, key, day) -%}
    select
        {{ relation }}.{{ key }},
        sum({{ nights_within(
            'custody.start_date', 'custody.end_date', relation ~ '.before_from', relation ~ '.' ~ day
        ) }}) as days_before,
        sum({{ nights_within(
            'custody.start_date', 'custody.end_date', relation ~ '.' ~ day, relation ~ '.alive_before'
        ) }}) as days_after
    from {{ relation }}
    inner join {{ ref('int_time_in_custody') }} as custody
        on
            {{ relation }}.person_id = custody.person_id
            and {{ relation }}.alive_before > custody.start_date
            and {{ relation }}.before_from < {{ or_open('custody.end_date') }}
    group by {{ relation }}.{{ key }}
{%- endmacro %}


{#- Whether people offended in the window before a day and in the one from it on, beside the columns of a relation:
    offended_before, offended_after, is_compared (both are known) and is_before_told and is_after_told (the counts of that
    side may be shown).

    The window before needs a police feed that reaches back to it; both need one that has waited for their proof. Nobody is
    censored before: whoever is there on the day was alive until then. A death after shortens the time at risk; what was
    done in it counts for rates all the same.

    Args: relation, which has offences_before, offences_after, is_before_covered, before_observable_on,
        after_observable_on, after_before, covered_until, death_date and is_linked_to_police; day. -#}
{% macro answers_before_and_after(relation, day) -%}
    select
        answered.*,
        answered.is_linked_to_police
        and answered.offended_before in ('yes', 'no')
        and answered.offended_after != 'not yet observable' as is_compared,
        answered.offended_before in ('yes', 'no') as is_before_told,
        answered.offended_after in ('yes', 'no', 'censored by death') as is_after_told
    from (
        select
            *,
            {{ outcome_status(
                happened='offences_before > 0',
                follow_up_ends_on=day ~ ' - 1',
                observable_on='before_observable_on',
                covered_until='covered_until',
                death_date='null::date',
                is_linked='is_linked_to_police',
                is_applicable='is_before_covered'
            ) }} as offended_before,
            {{ outcome_status(
                happened='offences_after > 0',
                follow_up_ends_on='after_before - 1',
                observable_on='after_observable_on',
                covered_until='covered_until',
                death_date='death_date',
                is_linked='is_linked_to_police'
            ) }} as offended_after
        from {{ relation }}
    ) as answered
{%- endmacro %}

{#- Answers that wait for a feed are the one thing in a per-person row that may change while the person does not. Here
    stands of each table with such answers what they wait for, so that a build can find the persons whose answers stand
    no longer (int_persons_due).

    A dictionary for each: `table`, and `answers`, each with `status` (its column; several that wait for the same share
    a row), `observable_on` (an expression), `covered_until` (an expression; the coverage is joined as `coverage`), and
    where the police feed must reach back, `is_reached` (an expression; its first day is joined as `reach`). -#}
{% macro answers_that_wait() -%}
    {%- set treatment, deaths = covered_until(['treatment']), covered_until(['treatment', 'deaths']) -%}
    {%- set police, benefits = covered_until(['treatment', 'police']), covered_until(['treatment', 'benefits']) -%}
    {%- set housing = covered_until(['treatment', 'housing']) -%}
    {%- set custody -%}
        case when reported_by = 'custody' then {{ covered_until(['treatment', 'custody']) }} else {{ police }} end
    {%- endset -%}
    {%- set reoffending -%}
        case when journey_id is null then {{ covered_until(['police']) }} else {{ police }} end
    {%- endset -%}
    {%- set around = covered_until_with_custody(['treatment', 'police']) -%}
    {{ return([
        {'table': 'int_outcomes_treatment', 'answers': [
            {'status': 'status', 'observable_on': 'observable_on', 'covered_until': treatment},
        ]},
        {'table': 'int_outcomes_effective', 'answers': [
            {'status': 'status', 'observable_on': 'observable_on', 'covered_until': treatment},
        ]},
        {'table': 'int_outcomes_work', 'answers': [
            {'status': 'status', 'observable_on': 'observable_on', 'covered_until': benefits},
        ]},
        {'table': 'int_outcomes_accommodation', 'answers': [
            {'status': 'status', 'observable_on': 'observable_on', 'covered_until': housing},
        ]},
        {'table': 'int_outcomes_top', 'answers': [
            {'status': 'top_at_start', 'observable_on': 'top_at_start_observable_on', 'covered_until': treatment},
            {'status': 'top_at_review', 'observable_on': 'top_at_review_observable_on', 'covered_until': treatment},
            {'status': 'top_at_exit', 'observable_on': 'top_at_exit_observable_on', 'covered_until': treatment},
        ]},
        {'table': 'int_outcomes_sustained', 'answers': [
            {
                'status': 'not_back_in_treatment', 'observable_on': 'not_back_in_treatment_observable_on',
                'covered_until': treatment,
            },
            {
                'status': 'no_proven_offence', 'observable_on': 'no_proven_offence_observable_on',
                'covered_until': police, 'is_reached': 'coalesce(end_date >= reach.known_from, true)',
            },
            {'status': 'in_work', 'observable_on': 'asked_on', 'covered_until': benefits},
            {'status': 'settled', 'observable_on': 'asked_on', 'covered_until': housing},
            {'status': 'alive', 'observable_on': 'asked_on', 'covered_until': deaths},
        ]},
        {'table': 'int_outcomes_arrest', 'answers': [
            {
                'status': 'arrest_to_assessment', 'observable_on': 'arrest_to_assessment_observable_on',
                'covered_until': police,
            },
            {
                'status': 'arrest_to_treatment', 'observable_on': 'arrest_to_treatment_observable_on',
                'covered_until': police,
            },
        ]},
        {'table': 'int_outcomes_custody', 'answers': [
            {'status': 'need_not_in_treatment', 'observable_on': 'reception_date', 'covered_until': custody},
            {
                'status': 'custody_to_community', 'observable_on': 'custody_to_community_observable_on',
                'covered_until': custody,
            },
        ]},
        {'table': 'int_outcomes_proven_reoffending', 'answers': [
            {
                'status': 'proven_reoffence', 'observable_on': 'observable_on',
                'is_reached': 'coalesce(entry_date >= reach.known_from, true)',
                'covered_until': reoffending,
            },
        ]},
        {'table': 'int_offending_around_treatment', 'answers': [
            {
                'status': 'offended_before', 'observable_on': 'before_observable_on',
                'is_reached': 'coalesce(before_from >= reach.known_from, false)',
                'covered_until': around,
            },
            {'status': 'offended_after', 'observable_on': 'after_observable_on', 'covered_until': around},
        ]},
        {'table': 'int_pbr_outcomes', 'answers': [
            {
                'status': "case when outcome not like 'no_proven_offence_%' then status end",
                'observable_on': 'observable_on', 'covered_until': treatment,
            },
        ]},
    ]) }}
{%- endmacro %}


{#- Whether an answer no longer says what it would say by the present coverage: it waits though its window has closed,
    or was given though it is open (a delivery was withdrawn), or the police feed now reaches where it did not.
    Args: answer, one of those of `answers_that_wait`. -#}
{% macro stands_no_longer(answer) -%}
    {%- set waits = answer.status ~ " = 'not yet observable'" -%}
    {%- set is_open = answer.observable_on ~ " > " ~ answer.covered_until -%}
    {%- set differs = "(" ~ waits ~ ") != coalesce(" ~ is_open ~ ", true)" -%}
    {%- set applies = answer.status ~ " != 'not applicable' and " ~ answer.observable_on ~ " is not null" -%}
    {%- set reached = " or (" ~ answer.status ~ " = 'not applicable') = " ~ answer.is_reached -%}
    ({{ applies }} and {{ differs }}{{ reached if answer.is_reached is defined }})
{%- endmacro %}


{#- The persons with an answer that stands no longer, in any table as it was last built. -#}
{% macro persons_due() -%}
    {%- for waiting in answers_that_wait() %}{{ " union " if not loop.first }}{{ persons_due_in(waiting) }}{% endfor -%}
{%- endmacro %}


{% macro persons_due_in(waiting) -%}
    {%- set conditions = [] -%}
    {%- for answer in waiting.answers %}{% do conditions.append(stands_no_longer(answer)) %}{% endfor -%}
    select answered.person_id
    from intermediate.{{ waiting.table }} as answered
    cross join {{ ref('int_feed_coverage') }} as coverage
    cross join {{ ref('int_police_reach') }} as reach
    where {{ conditions | join(' or ') }}
{%- endmacro %}

{#- What is known of one outcome of one journey.

    Args (SQL expressions):
        happened: the event was found within its window, or the state held on the day.
        follow_up_ends_on: last day of the follow-up; a death up to it censors.
        observable_on: the day by whose end the answer is final; on or after `follow_up_ends_on`.
        covered_until: last day the feeds that the outcome needs are known for; null when one never came.
        death_date: date of death, null while alive.
        is_linked: the person has a record in the feeds the outcome needs.
        is_applicable: the question makes sense for the journey.
        if_happened, otherwise: the answers (text); swapped where the outcome is that the event did not happen.

    The order matters: nothing is said before the window has closed, for successes as little as for failures, so that early
    events do not weigh more than late ones; an event before death counts; death censors what has not happened;
    absence of a record is not absence of the event. -#}
{% macro outcome_status(
    happened, follow_up_ends_on, observable_on, covered_until, death_date, is_linked='true', is_applicable='true',
    if_happened='yes', otherwise='no'
) -%}
    case
        when not ({{ is_applicable }}) then 'not applicable'
        when {{ covered_until }} is null or {{ observable_on }} > {{ covered_until }} then 'not yet observable'
        when {{ happened }} then '{{ if_happened }}'
        when {{ death_date }} <= {{ follow_up_ends_on }} then 'censored by death'
        when not ({{ is_linked }}) then 'not linked'
        else '{{ otherwise }}'
    end
{%- endmacro %}


{#- The outcomes of `outcome_recovery`, each the name of its column and of its row in `indicator_definitions`. -#}
{% macro recovery_outcomes() -%}
    {{ return([
        'successful_completion', 're_presentation_6m', 're_presentation_12m', 'proven_reoffence_12m',
        'in_work_off_benefit_6m', 'in_work_off_benefit_12m', 'settled_accommodation_6m', 'settled_accommodation_12m'
    ]) }}
{%- endmacro %}


{#- The parts of the vector of sustained recovery, each the name of its column in `outcome_sustained_recovery`; with the
    horizon (`alive_12m`) it is the name of a row in `indicator_definitions`. -#}
{% macro sustained_outcomes() -%}
    {{ return([
        'not_back_in_treatment', 'no_proven_offence', 'off_out_of_work_benefit', 'in_work', 'in_work_13_weeks',
        'in_work_26_weeks', 'settled', 'alive', 'off_drugs_off_benefit_in_work'
    ]) }}
{%- endmacro %}


{#- A condition as an answer; null, which no one counts, where it is not known. -#}
{% macro yes_or_no(condition) -%}
    case {{ condition }} when true then 'yes' when false then 'no' end
{%- endmacro %}

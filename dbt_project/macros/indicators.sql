{#- How a figure stands to a benchmark, by its 95 % interval: the benchmark outside it is a difference, in words of
    better and worse where the definition says which way is better. Null without an interval or a benchmark.
    Args: lower, upper, benchmark, polarity (`higher`, `lower` or `neither` is better).
    Source: the colours of Public Health Outcomes Framework profiles; certainty: recalled. -#}
{% macro compared_with(lower, upper, benchmark, polarity) -%}
    case
        when {{ lower }} is null or {{ upper }} is null or {{ benchmark }} is null then null
        when {{ benchmark }} between {{ lower }} and {{ upper }} then 'similar'
        when {{ polarity }} = 'neither' then case when {{ benchmark }} < {{ lower }} then 'higher' else 'lower' end
        when ({{ benchmark }} < {{ lower }}) = ({{ polarity }} = 'higher') then 'better'
        else 'worse'
    end
{%- endmacro %}


{#- Where a figure has moved since the period before: only where the two 95 % intervals lie apart. Null without either.
    Args: lower, upper, lower_before, upper_before, polarity as in `compared_with`. -#}
{% macro direction_of_travel(lower, upper, lower_before, upper_before, polarity) -%}
    case
        when num_nulls({{ lower }}, {{ upper }}, {{ lower_before }}, {{ upper_before }}) > 0 then null
        when {{ lower }} <= {{ upper_before }} and {{ upper }} >= {{ lower_before }} then 'no significant change'
        when {{ polarity }} = 'neither' then case when {{ lower }} > {{ upper_before }} then 'rising' else 'falling' end
        when ({{ lower }} > {{ upper_before }}) = ({{ polarity }} = 'higher') then 'improving'
        else 'worsening'
    end
{%- endmacro %}


{#- The rank of what is known of a unit: where several rows of it fall into one period the lowest stands. -#}
{% macro status_rank(status) -%}
    case {{ status }}
        when 'yes' then 1
        when 'not yet observable' then 2
        when 'no' then 3
        when 'not linked' then 4
        when 'censored by death' then 5
    end
{%- endmacro %}


{#- The certainties a person stands at, separated by a semicolon. Most people are the same at all three: they are
    counted once, under the list. Args: standing, the alias of `int_person_standing`. -#}
{% macro certainties_of(standing) -%}
    concat_ws(
        ';',
        case when {{ standing }}.is_strict then 'strict' end,
        case when {{ standing }}.is_balanced then 'balanced' end,
        case when {{ standing }}.is_inclusive then 'inclusive' end
    )
{%- endmacro %}


{#- The first day of the step of a kind of period that a day lies in: periods are whole steps.
    Args: day, step_months, first_month (of the year, in which a step begins). -#}
{% macro step_start(day, step_months, first_month) -%}
    (
        date_trunc('month', {{ day }})
        - make_interval(months => mod(extract(month from {{ day }})::integer - {{ first_month }} + 12, {{ step_months }}))
    )::date
{%- endmacro %}


{#- The indicators that count people for as long as a journey lasted, in each period once: a person may have several
    rows, and a row may last. All others count what happened on a day, each unit once. -#}
{% macro indicators_by_unit() -%}
    {{ return(['effective_treatment', 'completion_opiate', 'completion_non_opiate', 'completion_alcohol']) }}
{%- endmacro %}

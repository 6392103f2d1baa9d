{#- The last day of which an outcome is known of everybody: the day before the first end that is not yet observable,
    else the last end. Those told already after it are not like the rest: they died, or came back early.
    Args: status, end_date; over, a window of the outcome's rows. -#}
{% macro last_day_told_of_all(status, end_date, over) -%}
    coalesce(
        min({{ end_date }}) filter (where {{ status }} = 'not yet observable') over {{ over }} - 1,
        max({{ end_date }}) over {{ over }}
    )
{%- endmacro %}

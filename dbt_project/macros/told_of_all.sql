{#- The last day of which an outcome is known of everybody: the day before the first end that is not yet observable,
    else the last end. Those told already after it are not like the rest: they died, or came back early.
    Args: status, end_date, of the rows of one outcome: this is an aggregate. -#}
{% macro last_day_told_of_all(status, end_date) -%}
    coalesce(
        min({{ end_date }}) filter (where {{ status }} = 'not yet observable') - 1,
        max({{ end_date }})
    )
{%- endmacro %}

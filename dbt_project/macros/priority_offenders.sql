{#- Parameters of the follow-up of priority offenders as one row, a column each. -#}
{% macro priority_offender_parameters() -%}
    select
        max(value) filter (where parameter = 'window') as window_value,
        max(value) filter (where parameter = 'wait') as wait_value,
        max(value) filter (where parameter = 'rate_per') as rate_per_value,
        max(value) filter (where parameter = 'lookback') as lookback_value,
        max(value) filter (where parameter = 'least_offences') as least_offences_value,
        max(value) filter (where parameter = 'comparison_share') as comparison_share_value,
        max(value) filter (where parameter = 'comparison_most') as comparison_most_value
    from {{ ref('priority_offender_parameters') }}
{%- endmacro %}

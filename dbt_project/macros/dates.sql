{#- The day `months` calendar months after `day`. From the end of a month to a shorter one it is the last day there. -#}
{% macro add_months(day, months) -%}
    ({{ day }} + make_interval(months => {{ months }}))::date
{%- endmacro %}


{#- The financial year a day falls in, April to March, as `2024-25`. -#}
{% macro financial_year(day) -%}
    to_char({{ day }} - interval '3 months', 'YYYY') || '-' || to_char({{ day }} + interval '9 months', 'YY')
{%- endmacro %}


{#- The first day of the financial year a day falls in, 1 April. -#}
{% macro financial_year_start(day) -%}
    (date_trunc('year', {{ day }} - interval '3 months') + interval '3 months')::date
{%- endmacro %}


{#- The last day of the financial year a day falls in, 31 March. -#}
{% macro financial_year_end(day) -%}
    (date_trunc('year', {{ day }} - interval '3 months') + interval '15 months')::date - 1
{%- endmacro %}


{#- Open ends compare as later than any day. -#}
{% macro or_open(day) -%}
    coalesce({{ day }}, 'infinity'::date)
{%- endmacro %}

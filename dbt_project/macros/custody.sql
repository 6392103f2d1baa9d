{#- Nights a time in prison takes from a window: `start_date` to `end_date` (the day of release, a day at liberty; null
    while inside) within `window_from` (included) and `window_before` (not included). -#}
{% macro nights_within(start_date, end_date, window_from, window_before) -%}
    greatest(least({{ or_open(end_date) }}, {{ window_before }}) - greatest({{ start_date }}, {{ window_from }}), 0)
{%- endmacro %}


{#- The last day that can be spoken for when time in prison counts: of the given feeds, and of the prison feed where
    there is one. A warehouse that never had it goes by the custody dates of the police. -#}
{% macro covered_until_with_custody(feeds) -%}
    case
        when {{ covered_until(feeds) }} is not null
            then least({{ covered_until(feeds) }}, coverage.custody_covered_until)
    end
{%- endmacro %}

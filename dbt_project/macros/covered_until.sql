{#- The last day all of the given feeds are known for; null when one of them has never come.
    Args: feeds; the relation is `int_feed_coverage` under the alias `coverage`. -#}
{% macro covered_until(feeds) -%}
    {%- set ends = [] -%}
    {%- for feed in feeds -%}
        {%- do ends.append("coalesce(coverage." ~ feed ~ "_covered_until, '-infinity'::date)") -%}
    {%- endfor -%}
    nullif(least({{ ends | join(', ') }}), '-infinity'::date)
{%- endmacro %}

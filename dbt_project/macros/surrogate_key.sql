{#- A key for a row of a mart: the first 128 bits that md5 makes of the person's random id and what tells the row apart.
    It is made of nothing that an agency knows, and is the same every time the same row is built. -#}
{% macro surrogate_key(columns) -%}
    {%- set values = [] -%}
    {%- for column in columns -%}
        {%- do values.append("coalesce(" ~ column ~ "::text, '')") -%}
    {%- endfor -%}
    md5(concat_ws('|', {{ values | join(', ') }}))::uuid
{%- endmacro %}

{#- The night a build shows the warehouse as at. -#}
{% macro night() -%}
    date '{{ var("as_at", "1900-01-01") }}'
{%- endmacro %}


{#- True for the rows of a table with history that were valid on the night: `_valid_from` inclusive, `_valid_to`
    exclusive. -#}
{% macro valid_on_night() -%}
    _valid_from <= {{ night() }} and (_valid_to is null or _valid_to > {{ night() }})
{%- endmacro %}


{#- Stops a run that does not say its night and slot: the defaults exist for parsing alone. -#}
{% macro require_build_vars() -%}
    {%- if execute and (var('as_at', none) is none or var('slot', none) not in ['blue', 'green']) -%}
        {{ exceptions.raise_compiler_error("Say what to build: --vars '{as_at: YYYY-MM-DD, slot: blue}'") }}
    {%- endif -%}
{%- endmacro %}

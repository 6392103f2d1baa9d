{#- Marts of outcomes say on each row which feeds were late (`stale_feeds`), the same on every row of a night. On a
    night on which that is other than what a table says, the whole table is written again. -#}


{#- Like `to_build`, for a mart with the column `stale_feeds`. -#}
{% macro to_build_as_feeds_stand(person_id) -%}
    {%- if execute and is_nightly() and not are_feeds_as_shown() -%}
        true
    {%- else -%}
        {{ to_build(person_id) }}
    {%- endif -%}
{%- endmacro %}


{% macro are_feeds_as_shown() -%}
    {%- set differing = run_query(
        "select exists (select from " ~ this ~ " as shown where shown.stale_feeds is distinct from"
        ~ " (select feeds.stale_feeds from intermediate.int_stale_feeds as feeds))"
    ) -%}
    {{ return(not differing.rows[0][0]) }}
{%- endmacro %}


{#- Strategy of these marts: the persons to build, or everyone, leave the table and are written again. -#}
{% macro get_incremental_persons_and_feeds_sql(arg_dict) -%}
    {%- set follows = is_nightly() and are_feeds_as_shown() -%}
    {{ replace_rows(arg_dict, "person_id in (" ~ persons_to_build() ~ ")" if follows) }}
{%- endmacro %}

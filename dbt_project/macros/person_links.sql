{#- A predicate: the person stands at the balanced certainty. Per-person intermediate models also hold the persons that
    only strict or inclusive links make; facts and outcomes show balanced persons alone. There are few others, so they
    are the ones looked for. -#}
{% macro balanced(person_id) -%}
    {%- if '.' not in person_id -%}
        {#- Without its table the column is the one of the subquery, and everybody is left out. -#}
        {{ exceptions.raise_compiler_error("balanced() needs the column with its table: 'journeys.person_id'") }}
    {%- endif -%}
    not exists (
        select from {{ ref('int_person_standing') }} as variants
        where variants.person_id = {{ person_id }} and not variants.is_balanced
    )
{%- endmacro %}


{#- The links of a certainty that `int_person_standing` compares: all, or on a nightly build those of the persons whose
    links tonight's changes reach. -#}
{% macro links_of_certainty(certainty) -%}
    select
        record_key,
        person_id
    from {{ ref('stg_linkage__person_link_by_certainty') }}
    where
        certainty = '{{ certainty }}'
        and {{ "person_id in (" ~ relinked_persons() ~ ")" if execute and is_nightly() else "true" }}
{%- endmacro %}


{#- Looks up, by an index, the rows of a large relation for each row of few: the lateral query of such a join. A night's
    change is some thousand keys of millions, which Postgres takes for many more when they come out of a union: it would
    read the whole table each time. `offset 0` keeps it from turning the look-up into such a join. -#}
{% macro looked_up(relation, key, few) -%}
    select
        large.record_key,
        large.person_id
    from {{ ref(relation) }} as large
    where large.{{ key }} = {{ few }}.{{ key }}
    offset 0
{%- endmacro %}

{#- A predicate: the person stands at the balanced certainty. Per-person intermediate models also hold the persons that
    only strict or inclusive links make; facts and outcomes show balanced persons alone. There are few others, so they
    are the ones looked for. -#}
{% macro balanced(person_id) -%}
    not exists (
        select from {{ ref('int_person_standing') }} as variants
        where variants.person_id = {{ person_id }} and not variants.is_balanced
    )
{%- endmacro %}

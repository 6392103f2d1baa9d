{#- The certainties that rows of counts belong to, as a relation `each (certainty, is_counted)` to join laterally: rows
    are counted first, by the three flags of `int_person_standing`, and spread over the certainties afterwards, when they
    are few. Most persons are the same at all three. Cuts other than all adults are counted at the balanced certainty
    alone.
    Args: counts, the alias of the rows, with `is_strict`, `is_balanced` and `is_inclusive`; has_cuts, they have `cut`. -#}
{% macro each_certainty(counts, has_cuts=true) -%}
    {%- set everyone = " and " ~ counts ~ ".cut = 'adults'" if has_cuts else "" -%}
    lateral (
        values
        ('strict', {{ counts }}.is_strict{{ everyone }}),
        ('balanced', {{ counts }}.is_balanced),
        ('inclusive', {{ counts }}.is_inclusive{{ everyone }})
    ) as each (certainty, is_counted)
{%- endmacro %}

{#- Numbers the islands of overlapping or touching spells: rows with the same number merge into one unbroken spell.

    Args:
        relation: spells with `start_date` and `end_date` (last day included; null while open).
        partition_by: columns within which spells may merge.
        touching_days: a spell that starts so many days after the last day of those before it still belongs to them.
    Returns a select of the relation's columns with `island`. -#}
{% macro number_islands(relation, partition_by, touching_days=1) -%}
    select
        reached.*,
        -- a spell opens an island when it starts after all before it have ended
        count(*) filter (where reached.ended_before is null or reached.start_date > reached.ended_before + {{ touching_days }})
            over (partition by {{ partition_by | join(', ') }} order by reached.start_date, reached.spell_end rows unbounded preceding) as island
    from (
        select
            spells.*,
            {{ or_open('spells.end_date') }} as spell_end,
            max({{ or_open('spells.end_date') }}) over (
                partition by {{ partition_by | join(', ') }}
                order by spells.start_date, {{ or_open('spells.end_date') }}
                rows between unbounded preceding and 1 preceding
            ) as ended_before
        from {{ relation }} as spells
    ) as reached
{%- endmacro %}


{#- The end of a merged spell: null while any of its parts is open. -#}
{% macro latest_end(day) -%}
    nullif(max({{ or_open(day) }}), 'infinity'::date)
{%- endmacro %}

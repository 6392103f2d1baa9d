{#- A count as it may be published: null where it is withheld, else rounded to the nearest `round_to`. -#}
{% macro published_count(count, is_withheld) -%}
    case when not ({{ is_withheld }}) then (round(({{ count }})::numeric / {{ var('round_to') }}) * {{ var('round_to') }})::integer end
{%- endmacro %}


{#- True for a count too small to publish; none at all is small too. -#}
{% macro is_small(count) -%}
    {{ count }} < {{ var('suppress_below') }}
{%- endmacro %}


{#- True for a part of a whole that is too small to publish, or that leaves too few of the whole out: nearly all is as
    telling as nearly none. -#}
{% macro is_telling(part, whole) -%}
    ({{ is_small(part) }} or {{ is_small(whole ~ ' - ' ~ part) }})
{%- endmacro %}


{#- Decides which cells of additive tables are withheld so that no withheld count can be worked out from its neighbours.

    A line is a set of cells that add up: the parts and their total. A line gives a count away when exactly one of its
    cells is withheld, or when the withheld ones together hold fewer than `suppress_below`. Each pass withholds the
    smallest open cell of every such line, a part before a total; that may expose another line, so passes repeat. A block
    that is still unsafe after the last pass is withheld whole: too little is published rather than too much.

    Args:
        cells: relation of cells: cell_id, block (cells of different blocks never add up), count, is_total,
            is_small (withheld in its own right) and lines (array of text or numbers: the lines the cell belongs to). Of
            equal counts the lower cell_id is withheld: number cells by the key of their table, in an order that is the
            same in each line, so that one night always withholds the same cells.
        passes: how often to look.
    Returns the body of a `with`: common table expressions, of which `decided_cells` has cell_id and is_withheld. -#}
{% macro decide_withheld(cells, passes=8) -%}
    members_0 as (
        select
            cells.cell_id,
            cells.block,
            cells.count,
            cells.is_total,
            unnest(cells.lines) as line,
            cells.is_small as is_withheld
        from {{ cells }} as cells
    ),
    {%- for pass in range(passes) %}

    chosen_{{ pass }} as (
        select distinct on (members.line) members.cell_id
        from members_{{ pass }} as members
        inner join ({{ unsafe_lines('members_' ~ pass) }}) as unsafe on members.line = unsafe.line
        where not members.is_withheld
        order by members.line asc, members.is_total asc, members.count asc, members.cell_id asc
    ),

    members_{{ pass + 1 }} as (
        select
            members.cell_id,
            members.block,
            members.count,
            members.is_total,
            members.line,
            members.is_withheld or chosen.cell_id is not null as is_withheld
        from members_{{ pass }} as members
        left join (select distinct cell_id from chosen_{{ pass }}) as chosen on members.cell_id = chosen.cell_id
    ),
    {%- endfor %}

    unsafe_blocks as (
        select distinct members.block
        from members_{{ passes }} as members
        inner join ({{ unsafe_lines('members_' ~ passes) }}) as unsafe on members.line = unsafe.line
    ),

    decided_cells as (
        select
            members.cell_id,
            bool_or(members.is_withheld or unsafe_blocks.block is not null) as is_withheld
        from members_{{ passes }} as members
        left join unsafe_blocks on members.block = unsafe_blocks.block
        group by members.cell_id
    )
{%- endmacro %}


{#- The lines of a cell over places, as two items of an array: with the other places of the wider one that it lies in,
    and as the total of the places within it; null where there is none.
    Args: keys: expressions that are the same of all cells of a line; relation: the alias, where there are several, that
    has area_level, place and wider_place, names of places that no two share. -#}
{% macro lines_over_places(keys, relation=none) -%}
    {%- set of = relation ~ '.' if relation else '' -%}
    {%- set same = keys | join(', ') -%}
    case
        when {{ of }}wider_place is not null then concat_ws('|', 'within ' || {{ of }}wider_place, {{ same }})
    end,
    case
        when {{ of }}area_level not in ('authority', 'provider')
            then concat_ws('|', 'within ' || {{ of }}place, {{ same }})
    end
{%- endmacro %}


{#- What is published of figures that have several counts, a cell each: one row a figure, with a column for each count,
    null where it is withheld. Reads `decided_cells`, and `cells` with measure, the name of the count, beside what
    `decide_withheld` asks for.
    Args: figure: columns of `cells` that tell a figure; measures: the names. -#}
{% macro published_measures(figure, measures) -%}
    {%- set columns = 'cells.' ~ figure | join(', cells.') -%}
    select
        {{ columns }},
    {%- for measure in measures %}
        max({{ published_count('cells.count', 'decided_cells.is_withheld') }})
        filter (where cells.measure = '{{ measure }}') as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
    from cells
    inner join decided_cells on cells.cell_id = decided_cells.cell_id
    group by {{ columns }}
{%- endmacro %}


{#- The lines that give a withheld count away; a line that is withheld whole gives nothing away. -#}
{% macro unsafe_lines(members) -%}
    select line
    from {{ members }}
    group by line
    having
        bool_or(is_withheld) and not bool_and(is_withheld)
        and (
            count(*) filter (where is_withheld) = 1
            or {{ is_small('sum(count) filter (where is_withheld)') }}
        )
{%- endmacro %}


{#- A bound of the 95 % Wilson score interval of a proportion, in per cent as it is published; null when the denominator
    is null or 0. Args: successes, trials; `side` is `-` for the lower and `+` for the upper bound. -#}
{% macro wilson_bound(successes, trials, side) -%}
    (100 * {{ wilson_share_bound(successes, trials, side) }})::numeric(5, 1)
{%- endmacro %}

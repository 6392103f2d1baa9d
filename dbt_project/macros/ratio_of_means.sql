{#- A bound of the 95 % interval of a ratio of two means of the same people, by Fieller's theorem: cost for each person
    who reached an outcome. Null where so few reached it that their number cannot be told from none: the cost for each
    has no upper limit then.
    Args: cost, cost_squares (sum of the squares), events (people with the outcome, a count), cost_of_events (what those
    people cost), n (all people); `side` is `-` for the lower and `+` for the upper bound.
    Source: Fieller 1954; the interval of a ratio of means in economic evaluation (Willan and O'Brien 1996). -#}
{% macro cost_per_event_bound(cost, cost_squares, events, cost_of_events, n, side) -%}
    {%- set z2 = var('z_95') ~ ' ^ 2' -%}
    {%- set people = 'nullif(' ~ n ~ ', 0)' -%}
    {#- Means of cost and of the outcome, and the variances of the two and their covariance, all times n squared. -#}
    {%- set scale = '(' ~ people ~ ' * ' ~ z2 ~ ' / nullif(' ~ n ~ ' - 1.0, 0))' -%}
    {%- set aa = '(' ~ cost ~ ' ^ 2 - ' ~ scale ~ ' * (' ~ cost_squares ~ ' - ' ~ cost ~ ' ^ 2 / ' ~ people ~ '))' -%}
    {%- set bb = '(' ~ events ~ ' ^ 2 - ' ~ scale ~ ' * (' ~ events ~ ' - ' ~ events ~ ' ^ 2 / (1.0 * ' ~ people
        ~ ')))' -%}
    {%- set ab = '(' ~ cost ~ ' * ' ~ events ~ ' - ' ~ scale ~ ' * (' ~ cost_of_events ~ ' - ' ~ cost ~ ' * ' ~ events
        ~ ' / ' ~ people ~ '))' -%}
    case
        when {{ bb }} > 0
            then ({{ ab }} {{ side }} sqrt(greatest({{ ab }} ^ 2 - {{ aa }} * {{ bb }}, 0))) / {{ bb }}
    end
{%- endmacro %}

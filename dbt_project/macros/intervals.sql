{#- A bound of the 95 % interval of a count of events; divide it by the person-time for the bound of a rate. Byar's
    method from 10 events on, exact (Poisson) below, where Byar's is less accurate.
    Args: events (a whole number); `side` is `-` for the lower and `+` for the upper bound.
    Source: Fingertips public health technical guidance as PHEindicatormethods has it; Armitage and Berry 2002 for the
    exact method: half the 2.5th percentile of chi-square with 2 x events degrees of freedom, half the 97.5th with 2 more. -#}
{% macro poisson_bound(events, side) -%}
    {%- set exact = {
        '-': [0, 0.025318, 0.242209, 0.618672, 1.089865, 1.623486, 2.201894, 2.814363, 3.453832, 4.115373],
        '+': [3.688879, 5.571643, 7.224688, 8.767273, 10.241589, 11.668332, 13.059474, 14.422675, 15.763189, 17.084803]
    } -%}
    case
        when {{ events }} < {{ exact[side] | length }}
            then (array[{{ exact[side] | join(', ') }}])[({{ events }})::integer + 1]
        else {{ byar_bound(events, side) }}
    end
{%- endmacro %}


{#- A bound of the 95 % interval of a count of events by Byar's approximation to the exact Poisson interval. No event at
    all has 0 as its lower bound.
    Args: as `poisson_bound`.
    Source: Breslow and Day 1987. -#}
{% macro byar_bound(events, side) -%}
    {%- set z = var('z_95') -%}
    {%- if side == '-' -%}
        case
            when {{ events }} > 0
                then {{ events }} * (1 - 1 / (9.0 * {{ events }}) - {{ z }} / (3 * sqrt({{ events }}))) ^ 3
            else 0
        end
    {%- else -%}
        ({{ events }} + 1)
        * (1 - 1 / (9.0 * ({{ events }} + 1)) + {{ z }} / (3 * sqrt({{ events }} + 1))) ^ 3
    {%- endif -%}
{%- endmacro %}


{#- A bound of the 95 % interval of a directly standardised rate, by Dobson's method: the interval of the count, scaled
    to the variance of the rate. Null when no event happened.
    Args: rate, variance (of the rate), events; `side` as in `poisson_bound`.
    Source: Dobson, Kuulasmaa, Eberle and Scherer 1991. -#}
{% macro dobson_bound(rate, variance, events, side) -%}
    {{ rate }} + sqrt({{ variance }} / nullif({{ events }}, 0)) * ({{ byar_bound(events, side) }} - {{ events }})
{%- endmacro %}

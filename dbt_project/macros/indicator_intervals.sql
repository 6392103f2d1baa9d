{#- A bound of the 95 % Wilson score interval of a proportion, between 0 and 1; null when the denominator is null or 0.
    Args: successes, trials; `side` is `-` for the lower and `+` for the upper bound.
    Source: Wilson 1927; the interval public health indicators use for proportions. -#}
{% macro wilson_share_bound(successes, trials, side) -%}
    {%- set z = var('z_95') -%}
    (
        (
            2 * {{ successes }} + {{ z }} ^ 2 {{ side }} {{ z }} * sqrt(
                {{ z }} ^ 2 + 4.0 * {{ successes }} * ({{ trials }} - {{ successes }}) / nullif({{ trials }}, 0)
            )
        ) / (2 * ({{ trials }} + {{ z }} ^ 2))
    )
{%- endmacro %}


{#- A bound of the 95 % interval of a mean, by the normal approximation; null with fewer than two values.
    Args: total, squares (sum of the squared values), n; `side` as in `wilson_share_bound`. -#}
{% macro mean_bound(total, squares, n, side) -%}
    (
        {{ total }} / nullif({{ n }}, 0) {{ side }} {{ var('z_95') }} * sqrt(
            greatest({{ squares }} - {{ total }} ^ 2 / nullif({{ n }}, 0), 0) / nullif({{ n }} * ({{ n }} - 1), 0)
        )
    )
{%- endmacro %}

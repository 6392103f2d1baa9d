{#- The variance of the logarithm of the ratio of two rates of the same people, after over before, from sums over
    people.

    Each person has events `a` and time at risk `s` after, events `b` and time `t` before. The rates are ratios of sums, and
    one person's two windows belong together, so the variance is that of the linearised ratio: the sum over people of
    (a/A - s/S - b/B + t/T)^2, with the small-sample factor n / (n - 1). Events of one person are thereby allowed to come in
    bunches, which the Poisson formula 1/A + 1/B does not allow for. Null when nobody has events on one side.
    Source: linearisation of a ratio estimator (Cochran 1977, Sampling Techniques, chapter 6).

    Args: columns named after the sums: a, b, s, t, aa, ab, bb, a_s, a_t, b_s, b_t, ss, st, tt (`a_s` is the sum of a times s); `n` people. -#}
{% macro log_rate_ratio_variance(n) -%}
    (
        aa / nullif(a * a, 0) - 2 * ab / nullif(a * b, 0) + bb / nullif(b * b, 0)
        - 2 * (a_s / nullif(a * s, 0) - a_t / nullif(a * t, 0) - b_s / nullif(b * s, 0) + b_t / nullif(b * t, 0))
        + ss / nullif(s * s, 0) - 2 * st / nullif(s * t, 0) + tt / nullif(t * t, 0)
    ) * {{ n }} / nullif({{ n }} - 1, 0)
{%- endmacro %}


{#- The standard error of the logarithm of the ratio of two rates; null where fewer than `fewest_people_for_ratio`
    people have events on one side: the approximation fails.
    Args: n, people; people_before and people_after, those with events on each side; else columns as
    `log_rate_ratio_variance`. -#}
{% macro log_rate_ratio_error(n, people_before, people_after) -%}
    case
        when least({{ people_before }}, {{ people_after }}) >= {{ var('fewest_people_for_ratio') }}
            -- rounding may take a variance of nothing just below it
            then sqrt(greatest({{ log_rate_ratio_variance(n) }}, 0))
    end
{%- endmacro %}


{#- A bound of the 95 % interval of the ratio of two rates. Args: ratio; error, of its logarithm; `side` is `-` for the
    lower and `+` for the upper bound. -#}
{% macro rate_ratio_bound(ratio, error, side) -%}
    round({{ ratio }} * exp({{ side }}{{ var('z_95') }} * {{ error }}), 3)
{%- endmacro %}

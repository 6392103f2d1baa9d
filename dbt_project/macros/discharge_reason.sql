{#- The one discharge reason of several given for the same discharge, as an aggregate over rows with a reason code
    (null where none was given) and its flags from `discharge_reasons`.

    No reason at all is 500, not known. Different reasons contradict each other and give 999, inconsistent, unless all are
    successful completions or all are declined: then the highest code stands, so that 82 outranks 80, the worse completion.
    Source: DHSC discharge grouping script. -#}
{% macro resolve_discharge_reason(code, is_successful, is_declined) -%}
    case
        when max({{ code }}) is null then 500
        when min({{ code }}) = max({{ code }}) then max({{ code }})
        when bool_and({{ is_successful }}) filter (where {{ code }} is not null) then max({{ code }})
        when bool_and({{ is_declined }}) filter (where {{ code }} is not null) then max({{ code }})
        else 999
    end
{%- endmacro %}

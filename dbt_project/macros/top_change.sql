{#- Items of the Treatment Outcomes Profile in days of 28 that are better at none: what was used, and injecting. Each
    has a row in `top_change_thresholds`. -#}
{% macro top_use_items() -%}
    {{ return([
        'alcohol_days', 'opioid_days', 'crack_days', 'cocaine_days', 'amphetamine_days', 'cannabis_days', 'other_drug_days',
        'injecting_days'
    ]) }}
{%- endmacro %}


{#- The other counted items: days of 28 and scales of 0 to 20. -#}
{% macro top_other_items() -%}
    {{ return([
        'shoplifting_days', 'drug_selling_days', 'paid_work_days', 'education_days', 'psychological_health',
        'physical_health', 'quality_of_life'
    ]) }}
{%- endmacro %}


{#- What became of the use of a substance between two profiles; null where either does not answer.
    Args: days_at_start, days_at_review, reliable_change_days.
    Source: outcome classes of the annual treatment statistics; certainty: recalled. -#}
{% macro top_change_class(days_at_start, days_at_review, reliable_change_days) -%}
    case
        when num_nulls({{ days_at_start }}, {{ days_at_review }}) > 0 then null
        when {{ days_at_start }} = 0 then 'not used at start'
        when {{ days_at_review }} = 0 then 'abstinent'
        when {{ days_at_start }} - {{ days_at_review }} >= {{ reliable_change_days }} then 'improved'
        when {{ days_at_review }} - {{ days_at_start }} >= {{ reliable_change_days }} then 'deteriorated'
        else 'unchanged'
    end
{%- endmacro %}

{{ config(indexes=[
    {
        'columns': [
            'indicator', 'certainty', 'period_start', 'area_level', 'area_code', 'provider_code', 'breakdown',
            'breakdown_value'
        ],
        'unique': true
    }
]) }}

-- The areas of a group taken together, the area itself among them.
with similar_areas_together as (
    select
        indicator,
        certainty,
        period_start,
        breakdown,
        breakdown_value,
        similar_group,
        (max(per) * sum(numerator) / nullif(sum(denominator), 0))::numeric(14, 4) as value
    from {{ ref('int_indicator_figures') }}
    where similar_group is not null
    group by indicator, certainty, period_start, breakdown, breakdown_value, similar_group
)

select
    measured.indicator,
    definitions.title as indicator_title,
    definitions.version as definition_version,
    measured.certainty,
    measured.area_level,
    measured.area_code,
    measured.provider_code,
    definitions.period,
    measured.period_start,
    measured.period_end,
    measured.breakdown,
    measured.breakdown_value,
    measured.measure,
    measured.per,
    measured.numerator,
    measured.denominator,
    measured.denominator_unlinked,
    measured.units,
    measured.units_with_event,
    measured.units_unlinked,
    measured.value,
    measured.lower_95,
    measured.upper_95,
    england.value as england_value,
    {{ compared_with('measured.lower_95', 'measured.upper_95', 'england.value', 'measured.polarity') }}
        as compared_with_england,
    measured.similar_group,
    similar_together.value as similar_areas_value,
    {{ compared_with('measured.lower_95', 'measured.upper_95', 'similar_together.value', 'measured.polarity') }}
        as compared_with_similar_areas,
    before.value as value_before,
    {{ direction_of_travel(
        'measured.lower_95', 'measured.upper_95', 'before.lower_95', 'before.upper_95', 'measured.polarity'
    ) }} as direction
from {{ ref('int_indicator_figures') }} as measured
inner join {{ ref('indicator_definitions') }} as definitions on measured.indicator = definitions.indicator
left join {{ ref('int_indicator_figures') }} as england
    on
        measured.indicator = england.indicator
        and measured.certainty = england.certainty
        and measured.period_start = england.period_start
        and measured.breakdown = england.breakdown
        and measured.breakdown_value = england.breakdown_value
        and measured.area_code != england.area_code
        and england.area_level = 'country'
        and england.area_code = 'E92000001'
left join similar_areas_together as similar_together
    on
        measured.indicator = similar_together.indicator
        and measured.certainty = similar_together.certainty
        and measured.period_start = similar_together.period_start
        and measured.breakdown = similar_together.breakdown
        and measured.breakdown_value = similar_together.breakdown_value
        and measured.similar_group = similar_together.similar_group
left join {{ ref('int_indicator_figures') }} as before
    on
        measured.indicator = before.indicator
        and measured.certainty = before.certainty
        and measured.period_before = before.period_start
        and measured.area_level = before.area_level
        and measured.area_code = before.area_code
        and measured.provider_code = before.provider_code
        and measured.breakdown = before.breakdown
        and measured.breakdown_value = before.breakdown_value
order by
    measured.indicator, measured.certainty, measured.period_start, measured.area_level, measured.area_code,
    measured.provider_code, measured.breakdown, measured.breakdown_value

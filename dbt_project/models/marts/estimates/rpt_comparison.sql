{{ config(indexes=[
    {'columns': ['certainty', 'cut', 'outcome', 'area_level', 'unit_code'], 'unique': true}
]) }}

with units as (
    select
        units.*,
        outcomes.title,
        outcomes.polarity,
        case units.area_level
            when 'all' then 'All'
            when 'authority' then coalesce(areas.area_name, 'Not known')
            else units.unit_code
        end as unit_name,
        case when units.area_level = 'authority' then areas.region_name end as region_name,
        groups.similar_group
    from {{ source('estimates', 'comparison_units') }} as units
    inner join {{ ref('comparison_outcomes') }} as outcomes on units.outcome = outcomes.outcome
    left join {{ ref('dim_area') }} as areas on units.area_level = 'authority' and units.unit_code = areas.area_code
    left join {{ ref('similar_areas') }} as groups
        on units.area_level = 'authority' and units.unit_code = groups.area_code
)

-- The areas of a group taken together, the area itself among them. Estimates are shares; per cent is what is shown.
select
    certainty,
    cut,
    outcome,
    title as outcome_title,
    polarity,
    period_start,
    period_end,
    area_level,
    unit_code,
    unit_name,
    region_name,
    similar_group,
    journeys,
    journeys_with_outcome,
    journeys_unlinked,
    (100 * rate)::numeric(7, 4) as percent,
    (100 * {{ wilson_share_bound('journeys_with_outcome', 'journeys', '-') }})::numeric(7, 4) as percent_lower_95,
    (100 * {{ wilson_share_bound('journeys_with_outcome', 'journeys', '+') }})::numeric(7, 4) as percent_upper_95,
    (100 * expected / nullif(journeys, 0))::numeric(7, 4) as percent_expected,
    (100 * overall_rate)::numeric(7, 4) as percent_overall,
    (100 * adjusted_rate)::numeric(8, 4) as adjusted_percent,
    (100 * adjusted_lower_95)::numeric(8, 4) as adjusted_lower_95,
    (100 * adjusted_upper_95)::numeric(8, 4) as adjusted_upper_95,
    case
        when similar_group is not null
            then
                100 * overall_rate
                * sum(journeys_with_outcome) over same_group / nullif(sum(expected) over same_group, 0)
    end::numeric(8, 4) as similar_areas_adjusted_percent,
    (100 * funnel_lower_95)::numeric(8, 4) as funnel_lower_95,
    (100 * funnel_upper_95)::numeric(8, 4) as funnel_upper_95,
    (100 * funnel_lower_998)::numeric(8, 4) as funnel_lower_998,
    (100 * funnel_upper_998)::numeric(8, 4) as funnel_upper_998,
    position,
    case
        when position is null then null
        when position = 'as expected' then 'as expected'
        when (position like 'above%') = (polarity = 'higher') then 'better'
        else 'worse'
    end || case right(position, 3) when '998' then ', outside 99.8 %' when ' 95' then ', outside 95 %' else '' end
        as reading,
    (100 * shrunken_rate)::numeric(7, 4) as shrunken_percent,
    (100 * shrunken_lower_95)::numeric(7, 4) as shrunken_lower_95,
    (100 * shrunken_upper_95)::numeric(7, 4) as shrunken_upper_95,
    own_weight::numeric(7, 4) as own_weight,
    dispersion_ratio::numeric(8, 4) as dispersion_ratio,
    adjusted_for,
    warnings,
    note
from units
window same_group as (partition by certainty, cut, outcome, area_level, similar_group)
order by certainty, cut, outcome, area_level, unit_code

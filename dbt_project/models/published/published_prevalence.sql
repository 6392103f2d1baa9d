with measures as (
    select
        prevalence.*,
        measure.name as measure,
        measure.persons,
        concat_ws('|', prevalence.certainty, prevalence.cut, prevalence.financial_year) as block,
        case prevalence.area_level
            when 'authority' then areas.region_code
            when 'region' then 'E92000001'
        end as wider_code,
        row_number() over (
            order by
                prevalence.certainty, prevalence.cut, prevalence.financial_year, prevalence.area_level,
                prevalence.area_code, measure.name
        ) as cell_id
    from {{ ref('rpt_prevalence') }} as prevalence
    left join {{ ref('dim_area') }} as areas on prevalence.area_code = areas.area_code
    cross join
        lateral (
            values
            ('seen', prevalence.persons_seen),
            ('in treatment', prevalence.persons_in_treatment),
            ('elsewhere', prevalence.persons_seen - prevalence.persons_in_treatment)
        ) as measure (name, persons)
),

cells as (
    select
        cell_id,
        block,
        persons as count,
        measure = 'seen' or area_level != 'authority' as is_total,
        {{ is_small('persons') }} as is_small,
        -- Those in treatment and those seen elsewhere add up to all seen, authorities to regions, regions to England.
        array_remove(
            array[
                concat_ws('|', block, area_code, 'over measures'),
                case when wider_code is not null then concat_ws('|', block, 'within ' || wider_code, measure) end,
                case when area_level != 'authority' then concat_ws('|', block, 'within ' || area_code, measure) end
            ],
            null
        ) as lines
    from measures
),

{{ decide_withheld('cells') }},

counts as (
    select
        measures.block,
        measures.area_code,
        max({{ published_count('measures.persons', 'decided_cells.is_withheld') }})
        filter (where measures.measure = 'seen') as seen_published,
        max({{ published_count('measures.persons', 'decided_cells.is_withheld') }})
        filter (where measures.measure = 'in treatment') as in_treatment_published
    from measures
    inner join decided_cells on measures.cell_id = decided_cells.cell_id
    group by measures.block, measures.area_code
),

-- What was pooled is made of the rounded count again: a multiple of the exact one would tell it.
scaled as (
    select
        prevalence.*,
        counts.seen_published,
        counts.in_treatment_published,
        case
            when prevalence.method like 'pooled%' then counts.seen_published / prevalence.persons_seen::numeric
            else 1
        end as scale
    from {{ ref('rpt_prevalence') }} as prevalence
    inner join counts
        on
            concat_ws('|', prevalence.certainty, prevalence.cut, prevalence.financial_year) = counts.block
            and prevalence.area_code = counts.area_code
),

rounded as (
    select
        *,
        {{ published_count('scale * estimated_users', 'seen_published is null') }} as users_published,
        {{ published_count('scale * lower_95', 'seen_published is null') }} as lower_published,
        {{ published_count('scale * upper_95', 'seen_published is null') }} as upper_published
    from scaled
)

select
    rounded.certainty,
    rounded.cut,
    rounded.financial_year,
    rounded.area_level,
    rounded.area_code,
    rounded.area_name,
    rounded.seen_published as users_seen,
    rounded.in_treatment_published as users_in_treatment,
    rounded.users_published as estimated_users,
    rounded.lower_published as lower_95,
    rounded.upper_published as upper_95,
    rounded.population,
    (1000.0 * rounded.users_published / rounded.population)::numeric(7, 2) as users_per_1000,
    (1000.0 * rounded.lower_published / rounded.population)::numeric(7, 2) as users_per_1000_lower_95,
    (1000.0 * rounded.upper_published / rounded.population)::numeric(7, 2) as users_per_1000_upper_95,
    {% for bound, users in [('', 'users'), ('_lower_95', 'lower'), ('_upper_95', 'upper')] -%}
        case
            when rounded.in_treatment_published > rounded.{{ users }}_published then 0
            else 100 * (1 - rounded.in_treatment_published / rounded.{{ users }}_published::numeric)
        end::numeric(5, 1) as percent_not_in_treatment{{ bound }},
    {% endfor -%}
    rounded.method,
    rounded.lists,
    rounded.model,
    rounded.note,
    rounded.warnings,
    rounded.seen_published is null or rounded.in_treatment_published is null as is_suppressed,
    stale.stale_feeds
from rounded
cross join {{ ref('int_stale_feeds') }} as stale
-- that somebody was seen in a small place is told by its row alone
where rounded.seen_published is not null or rounded.area_level != 'authority'
order by
    rounded.certainty, rounded.cut, rounded.financial_year, rounded.area_level, rounded.area_code

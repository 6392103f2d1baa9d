{{ config(indexes=[{'columns': ['certainty', 'cut', 'breakdown', 'breakdown_value'], 'unique': true}]) }}

-- Adults at all three certainties and by who they are; the other cuts at the balanced one and as a whole.
with described as (
    select
        certainties.certainty,
        cuts.cut,
        breakdowns.breakdown,
        coalesce(breakdowns.breakdown_value, 'not known') as breakdown_value,
        around.*,
        around.days_at_risk_before / 365.25 as years_before,
        around.days_at_risk_after / 365.25 as years_after
    from {{ ref('int_priority_offending') }} as around
    inner join {{ ref('int_person_certainties') }} as certainties on around.person_id = certainties.person_id
    left join {{ ref('priority_strands') }} as strands on around.strand_code = strands.strand_code
    cross join
        lateral (
            values
            ('adults', around.is_adult),
            ('under 18', not around.is_adult),
            ('alcohol only', around.is_alcohol_only),
            ('parents', around.is_parent)
        ) as cuts (cut, is_in)
    cross join
        lateral (
            values
            ('all', 'all'),
            ('strand', strands.label),
            ('sex', around.sex),
            ('age_group', case
                when around.age_band = '18-24' then '18-24'
                when around.age_band in ('25-29', '30-34') then '25-34'
                when around.age_band in ('35-39', '40-44') then '35-44'
                when around.age_band is not null then '45 and over'
            end),
            ('nomination_year', {{ financial_year('around.nomination_date') }})
        ) as breakdowns (breakdown, breakdown_value)
    where
        cuts.is_in
        and (cuts.cut = 'adults' or (certainties.certainty = 'balanced' and breakdowns.breakdown = 'all'))
),

-- Sums over people, of events `b` in the time `t` before and `a` in the time `s` after, for the ratio and its interval.
summed as (
    select
        certainty,
        cut,
        breakdown,
        breakdown_value,
        count(*) as persons,
        count(*) filter (where not is_linked_to_police) as persons_not_linked,
        count(*) filter (where offended_before = 'not applicable' and is_linked_to_police) as persons_before_the_feed,
        count(*) filter (where offended_after = 'not yet observable' and is_linked_to_police)
            as persons_not_yet_observable,
        count(*) filter (where is_compared) as persons_compared,
        count(*) filter (where is_compared and offences_before > 0) as offenders_before,
        count(*) filter (where is_compared and offences_after > 0) as offenders_after,
        -- whoever died in the year without an offence is of no use for the share
        count(*) filter (where is_compared and offended_after in ('yes', 'no')) as persons_followed,
        sum(offences_before) filter (where is_compared) as b,
        sum(offences_after) filter (where is_compared) as a,
        sum(years_before) filter (where is_compared) as t,
        sum(years_after) filter (where is_compared) as s,
        sum(offences_before ^ 2) filter (where is_compared)::numeric as bb,
        sum(offences_after * offences_before) filter (where is_compared) as ab,
        sum(offences_after ^ 2) filter (where is_compared)::numeric as aa,
        sum(offences_before * years_before) filter (where is_compared) as b_t,
        sum(offences_before * years_after) filter (where is_compared) as b_s,
        sum(offences_after * years_before) filter (where is_compared) as a_t,
        sum(offences_after * years_after) filter (where is_compared) as a_s,
        sum(years_before * years_before) filter (where is_compared) as tt,
        sum(years_after * years_before) filter (where is_compared) as st,
        sum(years_after * years_after) filter (where is_compared) as ss
    from described
    group by certainty, cut, breakdown, breakdown_value
),

parameters as (
    {{ priority_offender_parameters() }}
),

rated as (
    select
        summed.*,
        parameters.rate_per_value as per,
        summed.b / nullif(summed.t, 0) as rate_before,
        summed.a / nullif(summed.s, 0) as rate_after,
        {{ log_rate_ratio_error('persons_compared', 'summed.offenders_before', 'summed.offenders_after') }}
            as log_ratio_error
    from summed
    cross join parameters
)

select
    certainty,
    cut,
    breakdown,
    breakdown_value,
    persons::integer as persons,
    persons_not_linked::integer as persons_not_linked,
    persons_before_the_feed::integer as persons_before_the_feed,
    persons_not_yet_observable::integer as persons_not_yet_observable,
    persons_compared::integer as persons_compared,
    persons_followed::integer as persons_followed,
    offenders_before::integer as offenders_before,
    offenders_after::integer as offenders_after,
    coalesce(b, 0)::integer as offences_before,
    coalesce(a, 0)::integer as offences_after,
    round(t, 1) as years_at_risk_before,
    round(s, 1) as years_at_risk_after,
    round(per * rate_before, 1) as rate_before,
    round(per * rate_after, 1) as rate_after,
    round(rate_after / nullif(rate_before, 0), 3) as rate_ratio,
    {{ rate_ratio_bound('rate_after / nullif(rate_before, 0)', 'log_ratio_error', '-') }} as rate_ratio_lower_95,
    {{ rate_ratio_bound('rate_after / nullif(rate_before, 0)', 'log_ratio_error', '+') }} as rate_ratio_upper_95
from rated
order by certainty, cut, breakdown, breakdown_value

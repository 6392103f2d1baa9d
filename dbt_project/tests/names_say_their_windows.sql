-- An indicator named after its months, such as alive_12m, has a window of so many: another is another indicator.
select indicator
from {{ ref('indicator_definitions') }}
where
    indicator ~ '_[0-9]+m$'
    and (window_unit != 'month' or window_length is distinct from substring(indicator from '([0-9]+)m$')::integer)

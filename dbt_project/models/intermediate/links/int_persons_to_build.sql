{%- set state = standing_state() if execute -%}
-- Those touched by builds that did not finish too: some tables may show them as another build saw them.
select distinct person_id
from {{ ref('int_persons_touched') }}
where {% if state %}version > {{ state.since_version }}{% else %}false{% endif %}

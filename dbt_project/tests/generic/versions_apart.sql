{#- Versions of one row that stand on the same night. Looked for from those that have ended, which are few: that no two
    begin together, and no two are without an end, the keys and indexes of the table see to. -#}
{% test versions_apart(model, keys, valid_from, valid_to) %}

select ended.{{ keys | join(', ended.') }}
from {{ model }} as ended
inner join {{ model }} as other
    on
        (ended.{{ keys | join(', ended.') }}) = (other.{{ keys | join(', other.') }})
        and ended.{{ valid_from }} != other.{{ valid_from }}
        and ended.{{ valid_from }} < coalesce(other.{{ valid_to }}, 'infinity'::date)
        and ended.{{ valid_to }} > other.{{ valid_from }}
where
    ended.{{ valid_to }} is not null
    and ended.{{ valid_to }} > ended.{{ valid_from }}
    and coalesce(other.{{ valid_to }}, 'infinity'::date) > other.{{ valid_from }}

{% endtest %}

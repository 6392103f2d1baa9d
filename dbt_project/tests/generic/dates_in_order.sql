{#- Rows whose later date lies before the earlier one; a missing date passes. -#}
{% test dates_in_order(model, earlier, later) %}

select {{ earlier }}
from {{ model }}
where {{ later }} < {{ earlier }}

{% endtest %}

{#- Published counts that disclosure control should have withheld or rounded: nothing but null and multiples of
    `round_to` that are not below `suppress_below`. -#}
{% test no_small_numbers(model, column_name) %}

select {{ column_name }}
from {{ model }}
where {{ column_name }} < {{ var('suppress_below') }} or {{ column_name }} % {{ var('round_to') }} != 0

{% endtest %}

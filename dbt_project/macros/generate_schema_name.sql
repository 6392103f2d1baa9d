{#- Schemas are the zones of the warehouse, by their own names, without dbt's prefix of the target's schema. A past
    night that is built again (`past`, plugins/warehouse/model/past.py) has schemas of its own, so that it cannot touch the live
    tables; code lists are the same on every night. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if var('past', false) and node.resource_type == 'model' -%}
        {{ node.fqn[1] }}_past
    {%- else -%}
        {{ (custom_schema_name or target.schema) | trim }}
    {%- endif -%}
{%- endmacro %}

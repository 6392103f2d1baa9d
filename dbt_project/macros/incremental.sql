{#- A nightly build follows the night's change: of a per-person table only the persons of `int_persons_to_build` are
    deleted and written again. ADR 0015 says why; plugins/warehouse/model/state.py decides from which state a build
    starts, and keeps the tables `intermediate.model_build` and `intermediate.model_slot` that are read here. They are
    the machinery of a build and no data, so they are named directly and are in no lineage. -#}


{#- What a build of this layer starts from: `version` (of this build), `since_version`, `since_night` and `since_at` of
    the state that stands; none when everything is built. Marts start from what their slot holds. The database is asked
    once an invocation, not up to ten times a model: `graph` is the one place that all nodes of an invocation share. -#}
{% macro standing_state() -%}
    {%- if not execute or flags.FULL_REFRESH -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set known = graph.setdefault("standing_states", {}) -%}
    {%- set asked = (invocation_id, model.fqn[1] in ("marts", "published")) -%}
    {%- if asked not in known -%}
        {%- set rows = run_query(standing_state_sql()).rows if has_kept_state() else [] -%}
        {%- do known.update({asked: rows[0] if rows | length == 1 else none}) -%}
    {%- endif -%}
    {{ return(known[asked]) }}
{%- endmacro %}


{% macro has_kept_state() -%}
    {{ return(run_query("select to_regclass('intermediate.model_slot') is not null").rows[0][0]) }}
{%- endmacro %}


{% macro standing_state_sql() -%}
    {%- if model.fqn[1] in ('marts', 'published') %}
        select build.version, slot.version as since_version
        from intermediate.model_slot as slot
        inner join intermediate.model_build as build on slot.version <= build.version
        where slot.slot = '{{ var("slot", "blue") }}' and build.night = {{ night() }} and build.is_finished
        order by build.version desc
        limit 1
    {%- else %}
        select build.version, since.version as since_version, since.night as since_night, since.captured_at as since_at
        from intermediate.model_build as build
        inner join intermediate.model_build as since on build.since_version = since.version
        where
            build.version = (select max(latest.version) from intermediate.model_build as latest)
            and build.night = {{ night() }}
            and not build.is_finished
    {%- endif %}
{%- endmacro %}


{#- True when only the persons touched since the standing state are built. -#}
{% macro is_nightly() -%}
    {{ return(standing_state() is not none) }}
{%- endmacro %}


{#- A predicate for reading other per-person models: true for the persons to build, for everyone on a whole build. -#}
{% macro to_build(person_id) -%}
    {%- if execute and is_nightly() -%}
        {{ person_id }} in ({{ persons_to_build() }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- A select of the persons to build on a nightly build. -#}
{% macro persons_to_build() -%}
    {%- if standing_state().since_night is defined -%}
        select person_id from intermediate.int_persons_to_build
    {%- else -%}
        select person_id from intermediate.int_persons_touched where version > {{ standing_state().since_version }}
    {%- endif -%}
{%- endmacro %}


{#- Strategy of tables with a column `person_id`: the persons to build leave the table and are written again, in one
    transaction. A person who has no rows any more leaves it too, which dbt's own delete+insert would not see to. -#}
{% macro get_incremental_persons_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, "person_id in (" ~ persons_to_build() ~ ")" if is_nightly()) }}
{%- endmacro %}


{#- Strategy of the tables that say who is who: the persons of tonight's changed links are written again. -#}
{% macro get_incremental_relinked_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, "person_id in (" ~ relinked_persons() ~ ")" if is_nightly()) }}
{%- endmacro %}


{% macro relinked_persons() -%}
    select person_id from intermediate.int_relinked_persons where version = {{ standing_state().version }}
{%- endmacro %}


{#- Strategy of the logs of what builds touched: rows are added, each with the version of its build. -#}
{% macro get_incremental_log_sql(arg_dict) -%}
    {{ replace_rows(arg_dict, "false" if is_nightly()) }}
{%- endmacro %}


{#- Delete the rows that a predicate names (all of them without one) and insert the new ones. Both tables are of one
    project, so their columns are in one order, but for a contract's. -#}
{% macro replace_rows(arg_dict, predicate) -%}
    {%- set columns = adapter.dispatch("get_column_names", "dbt")() if config.get("contract").enforced -%}
    delete from {{ arg_dict["target_relation"] }} where {{ predicate or "true" }};
    insert into {{ arg_dict["target_relation"] }} {{ "(" ~ columns ~ ")" if columns }}
    select {{ columns or "*" }} from {{ arg_dict["temp_relation"] }}
{%- endmacro %}


{#- What a generic test looks at, in place of dbt's own: on a nightly build of a per-person table the rows written
    tonight. The others were looked at on the night they were written, and no key spans two persons. -#}
{% macro get_where_subquery(relation) -%}
    {%- set conditions = [config.get("where")] if config.get("where") else [] -%}
    {%- set tested = graph.nodes.get(model.attached_node) if model.attached_node -%}
    {%- set is_its_own = tested and tested.alias == relation.identifier -%}
    {%- set is_per_person = is_its_own and tested.config.get("incremental_strategy") == "persons" -%}
    {%- if is_per_person and tested.config.materialized == "incremental" and is_nightly() -%}
        {%- do conditions.append("person_id in (" ~ persons_to_build() ~ ")") -%}
    {%- endif -%}
    {%- if conditions -%}
        {{ return("(select * from " ~ relation ~ " where " ~ conditions | join(" and ") ~ ") dbt_subquery") }}
    {%- endif -%}
    {{ return(relation) }}
{%- endmacro %}


{#- A build by hand follows no plan (plugins/warehouse/model/state.py): what was known of the tables is true no
    more. -#}
{% macro forget_unplanned_state() -%}
    {%- if execute and not var('past', false) and has_kept_state() -%}
        delete from intermediate.model_build
        where not exists (
            select from intermediate.model_build as planned
            where
                planned.version = (select max(latest.version) from intermediate.model_build as latest)
                and planned.night = {{ night() }}
                and not planned.is_finished
        )
        {%- do graph.pop("standing_states", none) -%}
    {%- endif -%}
{%- endmacro %}

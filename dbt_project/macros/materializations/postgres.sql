{#- dbt's own materializations of Postgres, with the same result in two statements instead of some twelve: what dbt does
    between two statements costs more than most of them. In one transaction a table is made beside the standing one and
    takes its place with indexes, statistics and comments. Nobody reads what is being built meanwhile: layers follow each
    other, and marts are built in the slot that nobody sees. -#}


{% materialization table, adapter='postgres' -%}
    {{ return({'relations': [build_whole()]}) }}
{%- endmaterialization %}


{#- A table whose rows follow the night's change (macros/incremental.sql); written whole like any other where no state
    stands. A night changes one row in a hundred, which leaves statistics true: Postgres renews them by itself when a
    tenth has changed. Logs start empty, so theirs are made every night. -#}
{% materialization incremental, adapter='postgres' -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- if not is_nightly() or load_cached_relation(this) is none -%}
        {{ return({'relations': [build_whole()]}) }}
    {%- endif -%}

    {%- set rows = make_temp_relation(target) -%}
    {%- set strategy = config.get('incremental_strategy') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement() -%}
        {{ get_create_table_as_sql(True, rows, sql) }}
    {%- endcall -%}
    {%- call statement('main') -%}
        {%- set arguments = {'target_relation': target, 'temp_relation': rows} -%}
        {{ adapter.get_incremental_strategy_macro(context, strategy)(arguments) }}
    {%- endcall -%}
    {%- if strategy == 'log' -%}
        {%- call statement() -%}
            analyze {{ target }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}


{% materialization view, adapter='postgres' -%}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {{ drop_standing() }}
        {{ get_create_view_as_sql(target, sql) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return({'relations': [target]}) }}
{%- endmaterialization %}


{#- Make the table of a model and put it in the place of the one that stands; returns it. -#}
{% macro build_whole() -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set fresh = make_intermediate_relation(target) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        {{ get_create_table_as_sql(False, fresh, sql) }}
    {%- endcall -%}
    {%- call statement() -%}
        {%- for index in config.get('indexes', default=[]) -%}
            {{ get_create_index_sql(fresh, index) }};
        {%- endfor -%}
        {{ drop_standing() }}
        alter table {{ fresh }} rename to {{ adapter.quote(target.identifier) }};
        analyze {{ target }};
        {{ comments(target) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {%- do adapter.commit() -%}
    {{ return(target) }}
{%- endmacro %}


{% macro drop_standing() -%}
    {%- set standing = load_cached_relation(this) -%}
    {%- if standing is not none -%}
        drop {{ standing.type }} if exists {{ standing }} cascade;
    {%- endif -%}
{%- endmacro %}


{#- The descriptions of a table and its columns as its comments, where `persist_docs` asks for them. A contract sees to
    it that the columns are those that are described. -#}
{% macro comments(relation) -%}
    {%- if config.persist_relation_docs() and model.description -%}
        comment on table {{ relation }} is {{ postgres_escape_comment(model.description) }};
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values() %}
            comment on column {{ relation }}.{{ adapter.quote(column.name) }}
            is {{ postgres_escape_comment(column.description) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- Whether a query gives the columns that its contract says, in place of dbt's own, which compares them one by one. -#}
{% macro assert_columns_equivalent(sql) -%}
    {%- set given = adapter.get_column_schema_from_query(get_empty_subquery_sql(sql)) -%}
    {%- set said = adapter.get_column_schema_from_query(get_empty_schema_sql(model.columns)) -%}
    {%- if given | sort(attribute='column') != said | sort(attribute='column') -%}
        {{ dbt.assert_columns_equivalent(sql) }}
    {%- endif -%}
{%- endmacro %}

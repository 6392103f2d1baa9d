"""Model: dbt turns source tables and the person link into marts and published aggregates, layer by layer."""

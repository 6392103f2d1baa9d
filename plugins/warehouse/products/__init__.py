"""What commissioners and evaluators decide with: estimates made each night from the marts, by models that SQL should not be asked to fit.

A product reads modest frames from the marts that are being built, hands them to the pure functions of `warehouse.estimate`, and
writes tables of aggregates that dbt reads as sources. `registry.PRODUCTS` lists them; `stage.estimate` runs them.
"""

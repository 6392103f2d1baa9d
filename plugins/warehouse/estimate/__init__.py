"""Statistical estimators on small frames, as pure functions: nothing here reads the warehouse, logs, or knows the night.

What each assumes, and what was checked against what, stands in `docs/estimators.md`.
"""

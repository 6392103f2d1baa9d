"""Retention: what each zone keeps and for how long (expectations/retention.yaml), and the removal of what is older."""

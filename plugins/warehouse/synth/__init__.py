"""A synthetic population with life courses, and what four agencies would deliver about it, night after night.

`generate.generate` is the way in. The modules follow the making of the data: `people`, `addresses`, `treatment`, `crime`,
`income` and `homelessness` make what really happened; `identity` decides how each agency knows a person; `feed_*` lay
that out as the agency's files; `nights` decides what is delivered when; `faults` plants bad rows; `truth` keeps the answers.
Every rate stands in `rates.yaml` with its source.
"""

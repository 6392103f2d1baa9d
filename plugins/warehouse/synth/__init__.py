"""A synthetic population with life courses, and what seven agencies would deliver about it, night after night.

`generate.generate` is the way in. The modules follow the making of the data: `people`, `addresses`, `treatment`, `crime`,
`prison_stays`, `income`, `homelessness` and `mortality` make what really happened; `identity` decides how each agency knows a
person; `feed_*` lay that out as the agency's files; `nights` decides what is delivered when; `faults` plants bad rows that
`spoilers` finds; `truth` keeps the answers. Every rate stands in `rates.yaml` with its source.
"""

"""Stage 3: find out which agency records are the same person.

Two steps, each killable: `stage.score` (vault to scored edges in a file) and `stage.resolve` (edges to persistent
person ids, in one transaction). Identifiers are seen by the first alone and never leave its work folder.
"""

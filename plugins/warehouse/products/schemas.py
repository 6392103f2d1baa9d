"""Where a build's estimates lie, and where it finds what they are made from."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.publish.slots import physical_schema


@dataclass(frozen=True)
class BuildSchemas:
    """The schemas of one build of the warehouse."""

    marts: str
    intermediate: str
    estimates: str

    def fill(self, query: str) -> str:
        """The query with the schemas in the place of their names."""
        return query.format(marts=self.marts, intermediate=self.intermediate, reference="reference")


def of_slot(slot: str) -> BuildSchemas:
    """The schemas of a nightly build."""
    return BuildSchemas(physical_schema("marts", slot), "intermediate", physical_schema("estimates", slot))


def of_past() -> BuildSchemas:
    """The schemas of a past night that is built again (`model.past`)."""
    return BuildSchemas("marts_past", "intermediate_past", "estimates_past")

"""What is published of small areas as GeoJSON, for mapping software: points, or the boundaries of a file the reader has.

Boundaries are no part of the warehouse: they are large, change yearly, and come from the ONS Open Geography Portal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

Row = Mapping[str, Any]

ROWS = """
select area_code, area_name, authority_code, financial_year, cut, measure, measure_label, count, population,
       per_1000::float8, per_1000_lower_95::float8, per_1000_upper_95::float8, longitude::float8, latitude::float8
from published.published_local_map m
where measure = %(measure)s and cut = %(cut)s and area_level = %(level)s
  and financial_year = coalesce(%(year)s, (select max(financial_year) from published.published_local_map where measure = m.measure and cut = m.cut))
order by area_code
"""
PLACE = ("longitude", "latitude")


def rows(connection: Connection[Any], measure: str, cut: str, level: str, year: str | None) -> list[Row]:
    """The published areas of a measure; of its latest year where none is named.

    Args:
        connection: as analyst.
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(ROWS, {"measure": measure, "cut": cut, "level": level, "year": year}))


def points(areas: Iterable[Row]) -> dict[str, Any]:
    """A feature collection with a point for each area; areas whose place is not known are left out."""
    return _collection(
        _feature(area, {"type": "Point", "coordinates": [area["longitude"], area["latitude"]]}) for area in areas if area["longitude"] is not None
    )


def with_boundaries(areas: Iterable[Row], boundaries: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A feature collection of a boundary file's areas that have a row, each with the properties of that row.

    Args:
        boundaries: a GeoJSON feature collection.
        key: the property of its features that holds the ONS code, as `LAD24CD`.

    Raises:
        ValueError: it is no feature collection, or no feature has the code of an area.
    """
    if boundaries.get("type") != "FeatureCollection":
        raise ValueError("The boundary file is no GeoJSON feature collection")
    shapes = {feature.get("properties", {}).get(key): feature["geometry"] for feature in boundaries["features"]}
    found = [_feature(area, shapes[area["area_code"]]) for area in areas if area["area_code"] in shapes]
    if not found:
        raise ValueError(f"No boundary has the code of an area in its property {key}")
    return _collection(found)


def read_boundaries(path: Path) -> dict[str, Any]:
    """Read a boundary file.

    Raises:
        ValueError: it is no JSON object.
        OSError: it cannot be read.
    """
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("The boundary file is no GeoJSON feature collection")
    return found


def _feature(area: Row, geometry: Any) -> dict[str, Any]:
    properties = {name: value for name, value in area.items() if name not in PLACE}
    return {"type": "Feature", "id": area["area_code"], "geometry": geometry, "properties": properties}


def _collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}

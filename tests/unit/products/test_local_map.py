"""The map of districts: GeoJSON of points and of a boundary file, the command's refusals, and the report's section."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from warehouse.publish.geojson import points, read_boundaries, with_boundaries
from warehouse.publish.report.blocks import Figure, Note, Table
from warehouse.publish.report.products.local_map import Place, draw

AREAS = [
    {"area_code": "E08000037", "area_name": "Gateshead", "count": 25, "per_1000": 0.12, "longitude": -1.6, "latitude": 54.9},
    {"area_code": "E06000057", "area_name": "Northumberland", "count": 35, "per_1000": 0.11, "longitude": None, "latitude": None},
]
SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]]]}
BOUNDARIES = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "geometry": SQUARE, "properties": {"LAD24CD": "E08000037", "LAD24NM": "Gateshead"}},
        {"type": "Feature", "geometry": SQUARE, "properties": {"LAD24CD": "E06000001"}},
    ],
}


def test_areas_are_points_where_their_place_is_known() -> None:
    found = points(AREAS)
    assert json.loads(json.dumps(found)) == {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "id": "E08000037",
                "geometry": {"type": "Point", "coordinates": [-1.6, 54.9]},
                "properties": {"area_code": "E08000037", "area_name": "Gateshead", "count": 25, "per_1000": 0.12},
            }
        ],
    }


def test_a_boundary_file_gives_its_shapes_to_the_areas_it_knows() -> None:
    (feature,) = with_boundaries(AREAS, BOUNDARIES, "LAD24CD")["features"]
    assert feature["geometry"] == SQUARE
    assert feature["properties"]["count"] == 25


def test_boundaries_of_another_key_are_refused() -> None:
    with pytest.raises(ValueError, match="No boundary has the code of an area in its property LAD99CD"):
        with_boundaries(AREAS, BOUNDARIES, "LAD99CD")


@pytest.mark.parametrize("text", ["[]", '{"type": "Feature"}'])
def test_what_is_no_feature_collection_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "boundaries.geojson"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match="no GeoJSON feature collection"):
        with_boundaries(AREAS, read_boundaries(path), "LAD24CD")


def test_the_report_maps_districts_and_leaves_withheld_counts_out() -> None:
    labels = {"in treatment": "People in treatment", "proven offences": "Proven offences by residents"}
    places = [Place("in treatment", labels["in treatment"], "2025-26", "Gateshead", 25, 0.12, -1.6, 54.9)]
    places += [Place("proven offences", labels["proven offences"], "2025-26", name, 65, 0.32, -1.7, 55.0) for name in ("Gateshead", "Blyth")]
    blocks = draw(tuple(places)).blocks
    (figure,) = (block for block in blocks if isinstance(block, Figure))
    assert figure.alt.startswith("Districts as circles. People in treatment: Gateshead 25; Proven offences by residents")
    (table,) = (block for block in blocks if isinstance(block, Table))
    assert table.rows == [["Gateshead", "25 (0.12 per 1,000)", "65 (0.32 per 1,000)"], ["Blyth", "", "65 (0.32 per 1,000)"]]


def test_districts_without_a_place_are_in_the_table_alone() -> None:
    blocks = draw((Place("in treatment", "People in treatment", "2025-26", "Gateshead", 25, None, None, None),)).blocks
    assert [type(block) for block in blocks] == [Note, Table]


def test_the_report_says_when_nothing_can_be_told() -> None:
    (note,) = draw(()).blocks
    assert isinstance(note, Note)

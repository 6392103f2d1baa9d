"""`warehouse products`: what commissioners and evaluators decide with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli_common import console, usage_errors

app = typer.Typer(no_args_is_help=True, help="Products for commissioners and evaluators: docs/products.")


@app.callback()
def products() -> None:
    """Keep `charts` a command of its own."""


@app.command()
def charts(
    out: Annotated[Path, typer.Option(file_okay=False, help="The folder to write to")] = Path("docs/products/images"),
    if_live: Annotated[bool, typer.Option("--if-live", help="Do nothing where no warehouse is configured or running")] = False,
) -> None:
    """Write the charts of the products' pages from the live warehouse, one SVG file each."""
    from warehouse.database import server
    from warehouse.publish.report.product_images import write_images
    from warehouse.settings import settings

    if if_live and not settings().url and not server.is_running():
        console.print("No warehouse is running: the charts of docs/products stay as they are", highlight=False)
        return

    with usage_errors():
        written = write_images(out)
    console.print(f"Wrote {len(written)} charts to {out}", highlight=False)


@app.command("map")
def map_(
    out: Annotated[Path, typer.Option(dir_okay=False, help="The GeoJSON file to write")],
    measure: Annotated[str, typer.Option(help="As in the seed local_map_measures")] = "in treatment",
    cut: Annotated[str, typer.Option(help="adults, under 18, alcohol only or parents")] = "adults",
    level: Annotated[str, typer.Option(help="district, authority or lsoa")] = "district",
    year: Annotated[str | None, typer.Option(help="Financial year, as 2025-26. Default: the latest")] = None,
    boundaries: Annotated[Path | None, typer.Option(dir_okay=False, help="A GeoJSON file of boundaries; without it areas are points")] = None,
    key: Annotated[str, typer.Option(help="The property of the boundary file that holds the ONS code")] = "LAD24CD",
) -> None:
    """Write a measure of the published map as GeoJSON."""
    from warehouse.database import clean_errors, connect
    from warehouse.publish import geojson

    with usage_errors():
        with clean_errors("read what is published"), connect("analyst") as connection:
            areas = geojson.rows(connection, measure, cut, level, year)
        if not areas:
            raise ValueError("Nothing is published of this measure, cut, level and year")
        found = geojson.with_boundaries(areas, geojson.read_boundaries(boundaries), key) if boundaries else geojson.points(areas)
        out.write_text(json.dumps(found, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"Wrote {len(found['features'])} areas to {out}", highlight=False)

"""The charts of the products as files, for their pages in docs/products."""

from __future__ import annotations

from pathlib import Path

from warehouse.database import clean_errors, connect
from warehouse.publish.report.blocks import Figure
from warehouse.publish.report.products.registry import EXAMPLES, product_sections


def write_images(folder: Path) -> list[Path]:
    """Write each chart of the products' sections as `<section>-<number>.svg`, from what is published now.

    A product with nothing to show, but with an example of made-up people, is drawn with that.

    Raises:
        DatabaseFault: the published tables could not be read.
        OSError: the folder cannot be written.
    """
    with clean_errors("read what is published"), connect("analyst") as connection:
        sections = product_sections(connection)
    drawn = {section.anchor for section in sections if any(isinstance(block, Figure) for block in section.blocks)}
    sections += [section for section in (example() for example in EXAMPLES) if section.anchor not in drawn]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for section in sections:
        figures = [block for block in section.blocks if isinstance(block, Figure)]
        for number, figure in enumerate(figures, start=1):
            path = folder / f"{section.anchor}-{number}.svg"
            # Inside a page an SVG needs no namespace; as a file it does.
            path.write_text(figure.svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n", encoding="utf-8")
            written.append(path)
    return written

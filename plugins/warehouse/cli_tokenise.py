"""`warehouse tokenise`: what an agency runs to deliver keyed tokens instead of clear identifiers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli_common import EXIT_USAGE, Night, console, fail, today

app = typer.Typer(help="Replace identifiers by keyed tokens before a delivery.")


@app.command()
def tokenise(
    contract: Annotated[str, typer.Option(help="The feed's contract: its YAML file, or the name of a feed of this warehouse")],
    files: Annotated[Path, typer.Option("--in", exists=True, help="Folder with the delivery's files, or one file")],
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to write the tokenised files to")],
    key_file: Annotated[Path | None, typer.Option(help="File that holds the shared key. Default: the variable WAREHOUSE_TOKEN_KEY does")] = None,
    write_contract: Annotated[Path | None, typer.Option(dir_okay=False, help="Also write the tokenised feed's contract to this file")] = None,
    letter_pairs: Annotated[bool, typer.Option(help="Whether names have codes of their pairs of letters; all agencies must do the same")] = True,
    night: Night = None,
) -> None:
    """Replace names, initials, dates of birth, postcodes, NINOs and PNC ids in a delivery by tokens; the key is not kept anywhere."""
    from warehouse.contracts.load import ContractError
    from warehouse.link.errors import LinkageFault
    from warehouse.link.tokens.files import TokeniseError
    from warehouse.link.tokens.key import TokenKeyError

    try:
        _run(contract, files, out, key_file, write_contract, night.date() if night else today(), letter_pairs)
    except (ContractError, TokenKeyError, TokeniseError) as error:
        raise fail(str(error), EXIT_USAGE) from None
    except LinkageFault as error:
        raise fail(str(error)) from None


def _run(contract: str, files: Path, out: Path, key_file: Path | None, write_contract: Path | None, night: date, letter_pairs: bool) -> None:
    import yaml

    from warehouse.contracts.load import load_contract, load_contract_file
    from warehouse.link.tokens.contract import token_contract
    from warehouse.link.tokens.files import tokenise as write
    from warehouse.link.tokens.key import read_key

    agreed = load_contract_file(Path(contract)) if Path(contract).is_file() else load_contract(contract)
    delivered = token_contract(agreed)
    for written in write(agreed, files, out, read_key(key_file), night, letter_pairs):
        console.print(f"{written.path.name}: {written.rows:,} rows", highlight=False)
        for identifier, (given, usable) in written.identifiers.items():
            console.print(f"  {identifier:20} {given:>12,} given {usable:>12,} usable", highlight=False)
    if write_contract is not None:
        write_contract.write_text(yaml.safe_dump(delivered, sort_keys=False, allow_unicode=True, width=150), encoding="utf-8")

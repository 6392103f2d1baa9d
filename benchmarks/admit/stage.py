"""One stage of a delivery, as the process an Airflow task would be: `stage.py receive FEED INBOX NIGHT`, `stage.py load ID` and so on.

Prints the delivery's id when it receives, the stage's counts otherwise.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path


def main(name: str, arguments: list[str]) -> None:
    """Run the stage called `name`."""
    if name == "receive":
        from warehouse.receive.stage import receive

        feed, inbox, night = arguments
        print(receive(feed, Path(inbox), date.fromisoformat(night)))
        return
    from warehouse.admit import stage

    print(json.dumps(getattr(stage, name)(int(arguments[0]))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""Make the picture of the terminal app in README.md from the demo as it runs: `make picture`."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from governance.cli.live import served
from governance.demo.live import FROM
from governance.demo.story import Replay
from tui.app import GovApp
from tui.theme import NIGHT

SIZE = (132, 30)
PICTURE = Path(__file__).parent / "terminal-app.svg"


async def picture(app: GovApp) -> str:
    """Return the screen once the engine has judged, with the worst model under the cursor."""
    async with app.run_test(size=SIZE) as pilot:
        app.theme = NIGHT.name  # also where this is made in a terminal of few colours
        while app.snapshot is None or not app.snapshot.fleet.items[0].outcomes:
            await pilot.pause(0.2)
        await pilot.pause(1.5)
        return app.export_screenshot(title="gov tui")


def main() -> None:
    """Replay the demo, then draw."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "demo"
        replay = Replay(directory, FROM)
        replay.world.prepare()
        replay.run(timedelta(minutes=15))
        with served(replay, directory, print) as client:
            PICTURE.write_text(asyncio.run(picture(GovApp(client))), encoding="utf-8")
    print(PICTURE.name)


if __name__ == "__main__":
    main()

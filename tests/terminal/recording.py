"""Write down the answers of a real engine to what the app asks on each of its screens: `make recorded`."""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import httpx
from terminal.played import RECORDED, Beats, asked
from terminal.scene import Scene
from terminal.stages import STAGES, Seat, Stage, each_stage

ROOT = Path(__file__).parents[2]


class Recording(httpx.BaseTransport):
    """Asks the engine of the scene, and notes what it answers."""

    def __init__(self, scene: Scene, who: str, answers: dict[str, Any], folder: str) -> None:
        self.scene, self.who, self.answers, self.folder = scene, who, answers, folder
        self.after = self.lost = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, note and answer."""
        if self.lost:
            raise httpx.ConnectError("[Errno 111] Connection refused")
        if request.url.path == "/v1/events":
            return httpx.Response(200, stream=Beats(lambda: self.lost))
        headers = {
            name: request.headers[name] for name in ("Content-Type", "Idempotency-Key") if name in request.headers
        }
        path = request.url.raw_path.decode()
        self.scene.inside.later(60)
        answer = self.scene.inside.as_(
            self.scene.tokens[self.who], request.method, path,
            headers={"User-Agent": "model-governance-tui", **headers}, content=request.content,
        )  # fmt: skip
        body = json.loads(answer.text.replace(self.folder, "/srv/work").replace(str(ROOT), "/srv/governance"))
        name, found = asked(self.who, request), [answer.status_code, body]
        if "since=" in name and not self.after:
            return httpx.Response(answer.status_code, json=answer.json())
        if self.after and ("since=" in name or self.answers.get(name, found) != found):
            name = f"{name} (after)"
        self.answers.setdefault(name, found)
        return httpx.Response(answer.status_code, json=answer.json())


async def _told(stage: Stage, seat: Seat) -> None:
    print(f"{stage.name}: {type(seat.app.screen).__name__}")


def main() -> None:
    """Let the story happen, go through all screens, and write."""
    answers: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        scene = Scene(Path(folder) / "engine")
        stages = sorted(STAGES, key=lambda each: each.after)
        asyncio.run(each_stage(stages, (200, 60), lambda who: Recording(scene, who, answers, folder), _told))
    lines = (f"{json.dumps(name)}: {json.dumps(found, ensure_ascii=False)}" for name, found in sorted(answers.items()))
    RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(answers)} answers, {RECORDED.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()

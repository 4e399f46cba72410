"""The picture of a metric with its limit: what it shows, and that it is uploaded once, or not at all."""

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from interfaces.inside import inside
from PIL import Image
from slack_organisation import CARD, ORG
from slack_web_api import web_api

from governance.actions.slack import Slack, SlackConfig
from governance.engine import operations
from governance.engine.worst_metric import Limit
from governance.slack.chart import Series, picture
from governance.slack.outbox import Outbox
from governance.slack.pace import Pace
from governance.slack.pictures import Pictures
from governance.slack.sender import Sender

AT = datetime(2026, 1, 31, 12, tzinfo=UTC)


def series(*values: float, limit: float = 0.5) -> Series:
    return Series(
        "errors", tuple((AT + timedelta(minutes=each), value) for each, value in enumerate(values)), Limit(limit, True)
    )


@pytest.mark.parametrize("values", [(0.1, 0.2, 0.2, 0.3, 0.9), (1.0,) * 5, (0.5,) * 5, (-3.0, 1e9, 0, 2, 1)])
def test_it_is_a_light_picture_with_the_line_and_the_limit(values: tuple[float, ...]) -> None:
    drawn = Image.open(BytesIO(picture(series(*values))))
    assert drawn.size == (1200, 630)
    colours = {colour for _, colour in drawn.convert("RGB").getcolors(100_000)}
    assert drawn.getpixel((5, 5)) == (255, 255, 255)
    assert {(0xC2, 0x26, 0x1E), (0x1F, 0x5F, 0xA8)} <= colours


def test_who_cannot_see_it_is_told_what_it_shows() -> None:
    said = series(0.1, 0.2, 0.2, 0.3, 0.9).words
    assert said == "errors from 0.1 at 12:00 to 0.9 at 12:04 UTC; it is wrong above 0.5"


def test_it_is_uploaded_into_the_thread_once_and_not_for_want_of_values(tmp_path: Path) -> None:
    with web_api() as api:
        made = inside(tmp_path, {"org.yaml": ORG.replace("ADDRESS", api.address), "loans.yaml": CARD})
        sender, said, ticks = Sender("xoxb-1", api.address), list[str](), [0.0]
        slack = Slack(SlackConfig(channel="#ml-incidents", address=api.address))
        extras = [Pictures(made.engine, sender, said.append)]
        outbox = Outbox(made.engine, "slack", slack, sender, said.append, Pace(lambda: ticks[0]), extras)

        def settle() -> list[str]:
            while outbox.step(made.clock.now()):
                ticks[0] += 1
                made.clock.on(seconds=1)
            return [method for method, _ in api.calls if "pload" in method]

        made.judge(0.9)
        assert settle() == [], "one value says no more than words"
        made.judge(0.91, 0.92, 0.93, 0.94)
        operations.acknowledge(made.engine, 1, actor="ana", at=made.clock.now())
        assert settle() == ["files.getUploadURLExternal", "upload.bytes", "files.completeUploadExternal"]
        given = next(given for method, given in api.calls if method == "files.completeUploadExternal")
        assert given["thread_ts"] == api.roots()[0]["ts"]
        operations.note(made.engine, 1, actor="ana", text="looking", at=made.clock.now())
        assert len(settle()) == 3
        assert said == []
        made.engine.database.close()

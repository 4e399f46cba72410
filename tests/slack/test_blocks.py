"""Text from outside stands in messages as text: nothing in it is markup, a mention, a link or an entity."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models.blocks import SectionBlock

from governance.slack.blocks import BLOCKS, CUT, FIELDS, escaped, facts, header, literal, section, within

HOSTILE = [
    "<!channel>",
    "<!here|here>",
    "@channel look",
    "@Everyone",
    "<@U123>",
    "<#C123|general>",
    "<https://evil.example|click me>",
    "*bold* _soft_ ~gone~ `code`",
    "&lt;!channel&gt;",
    "> quoted",
    "first\nsecond",
    "\u202eright to left",
]
PIECES = st.sampled_from([*HOSTILE, "recall < 0.6", "feature_store", "a & b", "é", "🔴", " "])
OUTSIDE = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_hostile_survives(text: str) -> None:
    assert not _speaks(escaped(text)), escaped(text)


@given(OUTSIDE, st.integers(len(CUT), 300))
def test_no_text_can_speak_to_slack(text: str, limit: int) -> None:
    shown = escaped(text, limit)
    assert not _speaks(shown)
    assert len(shown) <= limit
    assert len(literal(text, limit)) <= limit


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="*_~`@"), max_size=60))
def test_what_is_no_markup_reads_as_it_was_written(text: str) -> None:
    assert html.unescape(escaped(text)).replace("\u2060", "") == " ".join(text.split())


def test_names_keep_their_underscores_and_conditions_their_signs() -> None:
    assert escaped("feature_store_v2: recall < 0.6") == "feature_store_v2: recall &lt; 0.6"


def test_what_is_cut_says_so_and_no_entity_is_cut_in_two() -> None:
    assert escaped("<" * 2000, 3000).endswith(f"&lt;{CUT}")
    assert literal("x" * 151, 150) == "x" * (150 - len(CUT)) + CUT


def test_parts_keep_slacks_limits() -> None:
    SectionBlock(**{key: value for key, value in facts([("a", "b")] * 30).items() if key != "type"}).validate_json()
    assert len(facts([("a", "b")] * 30)["fields"]) == FIELDS
    assert len(header("m" * 500)["text"]["text"]) == 150
    many = within([section("x")] * 70)
    assert len(many) == BLOCKS
    assert "21 more parts, cut" in str(many[-1])


def _speaks(text: str) -> bool:
    """Tell whether Slack would see more than characters in a text."""
    entities = re.sub(r"&(amp|lt|gt);", "", text)
    if re.search(r"[<>&*~`\n\u202e]", entities) or re.search(r"@(channel|here|everyone)", text, re.IGNORECASE):
        return True
    return re.search(r"(^|\W)_|_(\W|$)", text) is not None

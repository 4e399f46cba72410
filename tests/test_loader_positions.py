"""A place within a scalar's value leads to its place in the file, whatever the style."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from governance.loader import Source, load_text
from governance.loader.decoding import offsets
from governance.loader.tree import Scalar


class Anything(BaseModel):
    """A document that takes every field."""

    model_config = ConfigDict(extra="allow")


def source_of(text: str) -> Source:
    """Load a text of kind any."""
    loaded, problems = load_text(f"kind: any\n{text}", "a.yaml", {"any": Anything})
    assert loaded is not None, [problem.render() for problem in problems]
    return loaded.source


STYLES = {
    "plain": "when: metrics.one > 1 && metrics.twoo > 2\n",
    "single-quoted": "when: 'x == ''a'' && metrics.twoo > 2'\n",
    "double-quoted": 'when: "x == \\"a\\" \\u00e9\\t && metrics.twoo > 2"\n',
    "double-quoted over lines": 'when: "x == 1 &&\n\n    1 > 0 \\\n    && metrics.twoo > 2"\n',
    "single-quoted over lines": "when: 'x == 1\n\n  && metrics.twoo > 2'\n",
    "plain over lines": "when: x == 1\n    && y\n\n    && metrics.twoo\n    > 2\n",
    "literal": "when: |\n  x == 1\n    && metrics.twoo > 2\n",
    "literal with indentation": "when: |2-\n    x == 1\n  && metrics.twoo > 2\n",
    "folded": "when: >-\n  x == 1\n  && y\n\n  && z &&\n    metrics.twoo > 2\n",
    "folded after blank lines": "when: >+\n\n\n  x == 1\n  && metrics.twoo > 2\n\n\n",
    "flow": "when: {a: 1, b: [x, metrics.twoo]}\n",
    "windows": "when: >\r\n  x == 1\r\n  && metrics.twoo\r\n",
    "astral": "when: '\U0001f600 日本' # comment\nthen: metrics.twoo\n",
}


@pytest.mark.parametrize("text", STYLES.values(), ids=STYLES)
def test_inside_points_at_the_very_word(text: str) -> None:
    source = source_of(text)
    path = next(path for path in ((("when",)), ("when", "b", 1), ("then",)) if "twoo" in _value(source, path))
    lines = _value(source, path).split("\n")
    line = next(number for number, each in enumerate(lines, 1) if "twoo" in each)
    found = source.inside(path, line, lines[line - 1].index("twoo") + 1, 4)
    shown = source.lines[found.line - 1][found.column - 1 : found.column - 1 + found.length]
    assert shown == "twoo"


def test_inside_spans_an_escape_and_stops_at_the_line() -> None:
    source = source_of('a: "x\\u00e9y"\nb: one\n  two\n')
    assert str(source.inside(("a",), 1, 2)) == "a.yaml:2:6"
    assert source.inside(("a",), 1, 2).length == len("\\u00e9")
    assert source.inside(("b",), 1, 1, 7).length == len("one")


def test_inside_past_the_end_is_after_the_last_character() -> None:
    source = source_of("a: 'xyz'\nb: |\n  xyz\nc: 5\n")
    assert str(source.inside(("a",), 1, 99)) == "a.yaml:2:8"
    assert str(source.inside(("b",), 1, 99)) == "a.yaml:4:6"
    assert str(source.inside(("c",), 1, 1)) == "a.yaml:5:4"
    assert str(source.inside(("nowhere",), 1, 1)) == "a.yaml:1:1"


def test_values_and_keys_have_positions() -> None:
    source = source_of("owners:\n  team: x\n  people: [ana, 'bo']\nempty:\nrules:\n  - rule: y\n    when: {a: b}\n")
    expected = {
        (): "1:1",
        ("owners",): "3:3",
        ("owners", "team"): "3:9",
        ("owners", "people", 1): "4:17",
        ("owners", "people", 9): "4:3",
        ("owners", "lead"): "2:1",
        ("empty",): "5:1",
        ("rules", 0): "7:5",
        ("rules", 0, "when"): "8:11",
        ("rules", 0, "when", "a"): "8:15",
    }
    assert {path: str(source.at(path))[7:] for path in expected} == expected
    assert str(source.key_at(("owners", "team"))) == "a.yaml:3:3"
    assert source.at(("owners", "people")).length == len("[ana, 'bo']")


WORDS = st.text(st.sampled_from("ab'\"\\ #:-é日\U0001f600\t"), max_size=12)
LINES = st.lists(WORDS, min_size=1, max_size=6)


def _value(source: Source, path: tuple[str | int, ...]) -> str:
    node = source.node(path)
    return node.text if isinstance(node, Scalar) else ""


def _check(text: str, style: str, expected: str | None = None) -> None:
    """Compare each character of the value with the one at its offset, where no escape or folding is between."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    if not isinstance(found, dict) or set(found) != {"a"} or not isinstance(found["a"], str):
        return
    loaded, _ = load_text(f"kind: any\n{text}", "a.yaml", {"any": Anything})
    if loaded is None:
        return
    node = loaded.source.node(("a",))
    assert isinstance(node, Scalar)
    assert expected is None or node.text == expected
    assert node.style == style or style == "?"
    places = offsets(loaded.source.text, node)
    assert len(places) == len(node.text) + 1
    assert places == sorted(places)
    assert len(set(places[:-1])) == len(node.text)  # a fallback would point everything at the start
    for character, place in zip(node.text, places, strict=False):
        raw = loaded.source.text[place]
        assert raw == character or raw in "\r\n" or (raw == "\\" and node.style == '"')


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["|", ">", "|-", ">-", "|+", ">+"]), st.integers(1, 4))
def test_every_character_of_a_block_is_found(lines: list[str], header: str, indent: int) -> None:
    _check(f"a: {header}\n" + "".join(f"{' ' * indent}{each}\n" for each in lines), header[0])


@settings(max_examples=100, deadline=None)
@given(LINES, st.sampled_from(["|", ">", "|-", ">+"]), st.integers(1, 3))
def test_every_character_of_a_block_with_indentation_is_found(lines: list[str], header: str, indent: int) -> None:
    _check(f"a: {header}{indent}\n" + "".join(f"{' ' * indent}{each}\n" for each in lines), header[0])


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n"]))
def test_every_character_of_a_single_quoted_scalar_is_found(lines: list[str], newline: str) -> None:
    _check("a: '" + f"{newline}  ".join(each.replace("'", "''") for each in lines) + f"'{newline}", "'")


@settings(max_examples=150, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n", "\\\n", "\\\n\n"]))
def test_every_character_of_a_double_quoted_scalar_is_found(lines: list[str], newline: str) -> None:
    pieces = [each.replace("\\", "\\\\").replace('"', '\\"').replace("é", "\\xe9") for each in lines]
    _check('a: "' + f"{newline}  ".join(pieces) + '"\n', '"')


@settings(max_examples=150, deadline=None)
@given(LINES)
def test_every_character_of_a_plain_scalar_is_found(lines: list[str]) -> None:
    _check("a: b" + "\n  ".join(lines) + "\n", "?")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["'", '"', "|", ">", None]), st.integers(20, 80))
def test_what_pyyaml_writes_is_read_with_its_places(text: str, style: str | None, width: int) -> None:
    dumped = yaml.safe_dump({"a": text}, default_style=style, width=width, allow_unicode=True)
    _check(dumped.replace('"a":', "a:").replace("'a':", "a:"), "?", expected=yaml.safe_load(dumped)["a"])


def test_the_end_of_a_block_is_not_on_the_line_below() -> None:
    source = source_of("a: |\n  xyz &&\n\nb: 1\n")
    assert str(source.inside(("a",), 2, 1)) == "a.yaml:3:9"

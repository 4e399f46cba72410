"""The YAML that is refused: what leaves our subset, what is no YAML, what is hostile."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ConfigDict

from governance.loader import load, load_text


class Anything(BaseModel):
    """A document that takes every field."""

    model_config = ConfigDict(extra="allow")


KINDS: dict[str, type[BaseModel]] = {"any": Anything}
CUT = "quote it or use a block"


def heads(text: str) -> list[str]:
    """Return the first line of each problem of a text, without the name of the file."""
    _, problems = load_text(text, "a.yaml", KINDS)
    return [problem.render().splitlines()[0].removeprefix("a.yaml:") for problem in problems]


REFUSED = {
    "a: &x 1\nb: [*x, *x]": [
        "2:4: error[anchor]: anchors are not allowed; remove &x",
        "3:5: error[alias]: aliases are not allowed; write the value of *x here",
        "3:9: error[alias]: aliases are not allowed; write the value of *x here",
    ],
    "a: !!str 5\nb: !!python/object:os.system {x: 1}": [
        "2:4: error[tag]: tags are not allowed; remove !!str",
        "3:4: error[tag]: tags are not allowed; remove !!python/object:os.system",
    ],
    "a: {<<: {b: 1}}": ["2:5: error[merge-key]: merge keys are not allowed; write the entries here"],
    "a: 1\nb: 2\na: 3": ["4:1: error[duplicate-key]: 'a' is written twice; first on line 2"],
    "5: a\ntrue: b": [
        '2:1: error[key-not-text]: a key must be text; quote it: "5"',
        '3:1: error[key-not-text]: a key must be text; quote it: "true"',
    ],
    "? [a]\n: b": ["2:3: error[key-not-text]: a key must be text, not a list"],
    "a: 1\n---\nb: 2": ["3:1: error[second-document]: a file holds one document; put this one into its own file"],
    "a: 1e999": ["2:4: error[invalid-number]: this number is too large"],
    "a: \x07b": ["2:4: error[control-character]: the character U+0007 is not allowed"],
    "a: x\u2028y": ["2:5: error[control-character]: the character U+2028 is not allowed"],
    "a:\n\t- b": ["3:1: error[tab]: a tab cannot indent; use spaces"],
    "a: @x": ["2:4: error[syntax]: text cannot start with '@'; quote it"],
    "a: 'x": ["2:4: error[syntax]: this quote is never closed"],
    "a: [1, 2\nb: 3": ["3:2: error[syntax]: expected ',' or ']' here; the '[' on line 2 is still open"],
    "a: {b: 1": ["2:4: error[syntax]: this '{' is never closed"],
    "a: [": ["2:4: error[syntax]: nothing follows this '[': write on, or close what is open"],
    "a: {b: 1,": ["2:9: error[syntax]: nothing follows this ',': write on, or close what is open"],
    "a: [,]": ["2:5: error[syntax]: expected a value here"],
    "a: && b": ["2:4: error[syntax]: text cannot start with '&'; quote it"],
    "a: !has(b) && c": ["2:4: error[syntax]: text cannot start with '!'; quote it"],
    "a: !has(b) || c": ["2:4: error[syntax]: text cannot start with '!'; quote it"],
    "a: !has(b)": [
        "2:4: error[tag]: tags are not allowed; remove !has(b), or quote the text that begins with it",
    ],
    "a: * b": ["2:4: error[syntax]: text cannot start with '*'; quote it"],
    "a: x ? y : z": [
        "2:10: error[syntax]: a colon and a space cannot stand inside plain text: quote the text or use a block"
    ],
    "a: 1\n  b: 2": [
        "3:3: error[syntax]: the line above is text, which cannot hold entries: check the indentation and the colons"
    ],
    "a: 'b' == c": ["2:8: error[syntax]: nothing may follow the closing ' here: quote the whole text or use a block"],
    'a: "\\d"': ["2:5: error[syntax]: no escape '\\d' in double quotes; use single quotes, or write \\\\"],
    "a: > b": [
        "2:6: error[syntax]: after | or > comes a line break; the text starts on the next line, indented with spaces"
    ],
    "a: {when: f(b, c) < 1}": [f"2:11: error[cut-expression]: the flow map cut this text at a comma: {CUT}"],
    "a: {when: f(b, '7d') < 1, for: 5m}": [
        f"2:11: error[cut-expression]: the flow map cut this text at a comma: {CUT}"
    ],
    "a: {when: x == 'b, c'}": [f"2:11: error[cut-expression]: the flow map cut this text at a comma: {CUT}"],
    "a: {text: late, very late}": [f"2:11: error[cut-expression]: the flow map cut this text at a comma: {CUT}"],
    "a: {when: b[0] > 1}": [f"2:11: error[cut-expression]: the flow map cut this text at '[': {CUT}"],
    "a: {when: b ? c : d}": [f"2:11: error[cut-expression]: the flow map cut this text at ':': {CUT}"],
    "a: [max(b, c), d]": [f"2:5: error[cut-expression]: the flow list cut this text at a comma: {CUT}"],
}


@pytest.mark.parametrize(("text", "expected"), REFUSED.items(), ids=[text[:20] for text in REFUSED])
def test_yaml_outside_the_subset(text: str, expected: list[str]) -> None:
    assert heads(f"kind: any\n{text}\n") == expected


def test_the_rest_of_a_file_is_checked_after_a_cut() -> None:
    text = "kind: any\na: {when: f(b, c), for: x}\nd: {when: g(e, 'f') > 1}\nh: 1\nh: 2\n"
    assert [each.split(":")[0] for each in heads(text)] == ["2", "3", "5"]


@pytest.mark.parametrize(
    "text",
    [
        "a: {b, c}",
        "a: {b: c, d}",
        "a: [x, {night: 'case when (hour >= 22'}]",
        "a: 'max(b, c)'",
        "a: {b: max(c), d: e}",
        "a: '" + "[" * 500 + "'",
        "# " + "{" * 500,
        "a: " + "(" * 500,
        "a: |\n  " + "[" * 500,
        "a: b # [*x]",
        "a: b&c *d !e",
        "--- # one document\na: b\n...\n# the end",
    ],
)
def test_sane_files_are_not_refused(text: str) -> None:
    assert heads(text.replace("---", "---\nkind: any") if text.startswith("---") else f"kind: any\n{text}\n") == []


BOMB = "kind: any\na0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 10}]\n" for n in range(1, 12))
HOSTILE = {
    "brackets": ("[" * 50_000, "too-deep"),
    "braces": ("{a: " * 50_000, "too-deep"),
    "dashes": ("- " * 50_000, "too-deep"),
    "complex keys": ("? " * 50_000, "too-deep"),
    "indentation": ("".join(f"{' ' * n}a:\n" for n in range(1400)), "too-deep"),
    "alias bomb": (BOMB, "alias"),
    "many aliases": ("kind: any\na: [" + "*a," * 300_000 + "]", "alias"),
    "many values": ("kind: any\na: [" + "b," * 500_000 + "]", "too-large"),
    "many keys": ("kind: any\n" + "".join(f"{n}: 1\n" for n in range(90_000)), "key-not-text"),
    "many tag directives": ("%TAG !a! b\n" * 80_000, "directive"),
    "NUL bytes": ("\0" * 1_000_000, "control-character"),
    "100 MB": ("a" * 100_000_000, "too-large"),
    "one long name": ("a" * 1_000_000, "not-a-map"),
    "one long tag": ("kind: any\na: " + "!" * 1_000_000, "tag"),
    "cuts": ("kind: any\na: [" + "f(a,b)," * 140_000 + "]", "cut-expression"),
    "open quote": ('"' + "\\\n" * 500_000, "syntax"),
    "surrogates": ("kind: any\na: \ud800", "control-character"),
    "digits": ("kind: any\na: " + "1" * 1_000_000, "invalid-number"),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_input_is_a_clear_error_at_once(text: str, code: str) -> None:
    before = time.process_time()
    loaded, problems = load_text(text, "a.yaml", KINDS)
    shown = [problem.render() for problem in problems]
    assert loaded is None
    assert code in [problem.code for problem in problems]
    assert len(shown) <= 101
    assert max(len(each) for each in shown) < 2000
    assert time.process_time() - before < 2  # a second on a machine that does nothing else


def test_files_and_directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "p/b.yaml",
        "p/a.yml",
        "p/packs/c.yaml",
        "p/a.test.yaml",
        "p/.hidden.yaml",
        "p/.git/d.yaml",
        "p/e.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("kind: any\n")
    documents = load([Path("p"), tmp_path / "p" / "a.test.yaml"], KINDS)
    assert not documents.problems
    assert [each.source.file for each in documents.loaded] == ["p/a.yml", "p/b.yaml", "p/packs/c.yaml", "p/a.test.yaml"]


def test_files_that_cannot_be_read_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("big.yaml").write_bytes(b"a" * 2_000_000)
    Path("bytes.yaml").write_bytes("kind: any\né: ".encode() + b"\xff\n")
    Path("empty.yaml").write_bytes(b"")
    Path("good.yaml").write_bytes(b"\xef\xbb\xbfkind: any\na: 1\n")
    Path("sixteen.yaml").write_bytes("kind: any".encode("utf-16"))
    Path("syntax.yaml").write_text("kind: any\na: 'x\n")
    documents = load([tmp_path, Path("nowhere.yaml")], KINDS)
    assert [each.source.file for each in documents.loaded] == ["good.yaml"]
    assert [problem.render().splitlines()[0] for problem in documents.problems] == [
        "big.yaml:1:1: error[too-large]: larger than 1024 KiB; split the file",
        "bytes.yaml:2:4: error[not-utf-8]: not UTF-8: the byte 0xFF here; save the file as UTF-8",
        "empty.yaml:1:1: error[empty-file]: the file is empty; start with kind: and one of any",
        "nowhere.yaml:1:1: error[missing-file]: no such file or directory",
        "sixteen.yaml:1:1: error[not-utf-8]: not UTF-8: UTF-16; save the file as UTF-8",
        "syntax.yaml:2:4: error[syntax]: this quote is never closed",
    ]


def test_pyyaml_without_libyaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    good = "kind: any\na: [b, 'c', {d: e}]\nf: >-\n  g\n  h\ni: |\n  j\n"
    texts = [good, *(f"kind: any\n{text}\n" for text in REFUSED)]
    fast = [_first(text) for text in texts]
    monkeypatch.setattr("governance.loader.builder._Loader", yaml.SafeLoader)
    assert [_first(text) for text in texts] == fast
    assert fast[0] is None


def _first(text: str) -> tuple[str, int] | None:
    _, problems = load_text(text, "a.yaml", KINDS)
    return (problems[0].code, problems[0].position.line) if problems else None

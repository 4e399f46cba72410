"""A person's own keys: a TOML file of acts and the keys that do them, checked before the app opens."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from textual.keys import KEY_ALIASES, Keys

from governance.errors import InvalidDocument
from tui.keys import GROUPS, keys_of

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("app", "list", "filter", "trouble", "marks", "incident", "model"),
    ("app", "incident", "telling", "model"),
    ("app", "list", "filter", "run", "ended"),
    ("app", "list", "filter", "approval"),
    ("app", "list", "filter", "policies"),
    ("app", "list", "filter", "log"),
)
"""Groups of keys that are live at once: among these no key may do two things."""
_NAMED = frozenset({each.value for each in Keys} | set(KEY_ALIASES) | {"space", "tab", "enter", "escape"})
_CHARACTERS = {"?": "question_mark", ":": "colon", "/": "slash"}


def keymap(path: Path, *, needed: bool = False) -> dict[str, str]:
    """Return the keys of a file by the names of their acts, {} where there is no such file and none is needed.

    :raises InvalidDocument: naming the file, and the act or the key that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        if needed:
            raise InvalidDocument(f"{path}: no such file of keys; GOV_KEYS names it") from error
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDocument(f"{path}: cannot be read: {error}") from error
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidDocument(f"{path}: {error}") from error
    found = {name: _keys(path, name, value) for name, value in said.items()}
    _clashes(path, found)
    return found


def _keys(path: Path, name: str, value: object) -> str:
    known = [each for each, _ in keys_of(GROUPS)] + [each for group in TOGETHER for each, _ in keys_of(group)]
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"acts are {', '.join(sorted(set(known)))}"
        raise InvalidDocument(f"{path}: '{name}' is no act of the app; {hint}")
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed or not all(isinstance(each, str) and each for each in listed):
        raise InvalidDocument(f'{path}: {name}: write a key such as "a", or a list of keys')
    return ",".join(_key(path, name, each) for each in listed)


def _key(path: Path, name: str, key: str) -> str:
    base = key.rpartition("+")[2]
    if len(key) == 1 and key.isprintable() and key != ",":
        return _CHARACTERS.get(key, key)
    if base and (len(base) == 1 or base in _NAMED or base in _CHARACTERS.values()):
        return key
    raise InvalidDocument(f"{path}: {name}: '{key}' is no key; keys are written a, A, f5, space, ctrl+k, shift+tab")


def _clashes(path: Path, own: Mapping[str, str]) -> None:
    for groups in TOGETHER:
        taken: dict[str, str] = {}
        for name, key in _live(groups, own):
            other = taken.setdefault(key, name)
            if other != name:
                raise InvalidDocument(
                    f"{path}: the key '{key}' would do two things, '{other}' and '{name}'; give one of them another key"
                )


def _live(groups: Iterable[str], own: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    for name, each in keys_of(groups):
        for key in own.get(name, each.keys).split(","):
            yield name, _CHARACTERS.get(key, key)

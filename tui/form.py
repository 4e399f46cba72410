"""What a form asks for, what it sends and what it says then; nothing here draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from governance.client import Client

Said = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked; `choices` are all there are. `wrong` says what is amiss, `sends` what is sent for it.

    `sends` is asked once for the same words: what depends on the present instant must not change when they are sent
    again.
    """

    name: str
    label: str
    value: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    optional: bool = False
    hint: str = ""
    wrong: Callable[[str], str] = lambda _: ""
    sends: Callable[[str], str] = lambda text: text


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form is for: `send` does it and returns what to say then, `act` and `model` are whose permission counts.

    `typed` must be typed first where the act asks for it; `about` is markup.
    """

    title: str
    about: str
    button: str
    send: Callable[[Client, Said, str], str]
    act: str = ""
    model: str = ""
    danger: bool = False
    typed: str = ""
    sure: str = "nothing has changed yet"
    fields: tuple[Field, ...] = ()

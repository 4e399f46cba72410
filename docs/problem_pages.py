"""The pages on the problems that `gov check` finds: their examples are checked, and what it says of them is written in.

A page holds the files of its example (```yaml policies/card.yaml) or the commands that make them (```sh), and what
`gov check` prints of them beside org.yaml (```console).
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import tempfile
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path

from governance.cli.main import run

PAGES = Path(__file__).parent / "problems"
_FILE = re.compile(r"^```yaml (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"^```console\n\$ gov ([^\n]*)\n.*?^```$", re.MULTILINE | re.DOTALL)
_MOST = 12  # lines of an answer that a page shows in full
_HEAD = """\
# Problems that `gov check` finds

Generated from the pages by `make docs`. `gov check --explain CODE` prints a page; it needs no network. The example of
each page stands beside this `policies/org.yaml`:

```yaml
{org}```

| code | meaning |
| --- | --- |
"""


def paths() -> list[Path]:
    """Return the page of each problem, by its code."""
    return sorted(path for path in PAGES.glob("*.md") if path.stem != "README")


def index() -> str:
    """Return the page that lists them, each with its first sentence."""
    org = (PAGES / "org.yaml").read_text(encoding="utf-8")
    rows = [f"| [{each.stem}]({each.name}) | {_first_sentence(each.read_text(encoding='utf-8'))} |" for each in paths()]
    return _HEAD.format(org=org) + "\n".join(rows) + "\n"


def filled(page: str) -> str:
    """Return a page with what `gov check` says of its example today."""
    found = _SHOWN.search(page)
    if found is None:
        return page
    with tempfile.TemporaryDirectory() as folder:
        _written(page, Path(folder))
        said = _said(Path(folder), shlex.split(found[1]))
    return f"{page[: found.start()]}```console\n$ gov {found[1]}\n{said}```{page[found.end() :]}"


def _written(page: str, folder: Path) -> None:
    """Write the files of an example, and run its commands."""
    (folder / "policies").mkdir()
    (folder / "policies" / "org.yaml").write_bytes((PAGES / "org.yaml").read_bytes())
    for name, text in _FILE.findall(page):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for commands in _COMMANDS.findall(page):
        subprocess.run(["bash", "-ec", commands], cwd=folder, check=True)  # noqa: S603, S607 (our own pages)


def _said(folder: Path, arguments: list[str]) -> str:
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GOV_")}
    said = io.StringIO()
    try:
        with chdir(folder), redirect_stdout(said), redirect_stderr(said):
            run(arguments)
    finally:
        os.environ.update(hidden)
    lines = said.getvalue().splitlines()
    shown = lines if len(lines) <= _MOST else [*lines[:3], "…", *lines[-4:]]
    return "".join(f"{line}\n" for line in shown)


def _first_sentence(page: str) -> str:
    text = " ".join(page.split("\n\n")[1].split())
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0].replace("|", "\\|")

"""Files that mean harm, or come from a broken tool; run as a program, it checks each one and says what that took."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

CARD = b"kind: card\nmodel: m\nowners: {team: t}\nlog: {source: p, table: x, columns: {time: at, score: s}}\n"
ORG = b"kind: org\nsources: {p: {kind: parquet, path: .}}\n"


def when(expression: str) -> bytes:
    """Return a card with a rule on this condition, in a literal block."""
    return CARD + b"rules:\n  - rule: r\n    when: |\n      " + expression.encode() + b"\n"


def _bomb(levels: int) -> bytes:
    lines = [b"a0: &a0 [x]", *(f"a{n}: &a{n} [{f'*a{n - 1},' * 10}]".encode() for n in range(1, levels))]
    return b"kind: card\n" + b"\n".join(lines)


ANY = ""  # found or not: that it ends soon is what matters
RANGE = "[" + ",".join(map(str, range(200))) + "]"
CASES: dict[str, tuple[bytes, str]] = {  # the file, and the code that must be among its problems
    "alias bomb": (_bomb(30), "alias"),
    "100,000 brackets": (b"kind: card\nmodel: " + b"[" * 100_000, "too-deep"),
    "100,000 braces": (b"kind: card\nmodel: " + b"{a: " * 100_000, "too-deep"),
    "100,000 dashes": (b"- " * 100_000, "too-deep"),
    "10,000 levels of indentation": (b"".join(b" " * n + b"a:\n" for n in range(1_400)), "too-deep"),
    "invalid UTF-8": (CARD + b"description: \xff\xfe\n", "not-utf-8"),
    "UTF-16": (CARD.decode().encode("utf-16"), "not-utf-8"),
    "UTF-16 without a mark": (CARD.decode().encode("utf-16-le"), "control-character"),
    "latin-1": (CARD + b"description: caf\xe9\n", "not-utf-8"),
    "NUL": (CARD + b"description: a\0b\n", "control-character"),
    "a million NUL": (b"\0" * 1_000_000, "control-character"),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100, "not-utf-8"),
    "escape sequences": (CARD + b"description: \x1b[2J\n", "control-character"),
    "tabs": (b"kind: card\nowners:\n\tteam: t\n", "tab"),
    "duplicate keys": (CARD + b"tier: 1\ntier: 2\n", "duplicate-key"),
    "90,000 keys": (b"kind: card\n" + b"".join(f"k{n}: 1\n".encode() for n in range(90_000)), "too-large"),
    "merge keys": (CARD + b"labels: {<<: {a: b}}\n", "merge-key"),
    "yes for a truth value": (CARD + b"data: {features: {a: {drift: no}}}\n", "wrong-type"),
    "a version that is a number": (CARD + b"versions: {serving: 2013.10}\n", "wrong-type"),
    "a number too large": (CARD + b"cost: {per_day: 1e999}\n", "invalid-number"),
    "a million digits": (CARD + b"cost: {per_day: " + b"1" * 500_000 + b"}\n", "invalid-number"),
    "a huge whole number": (CARD + b"max_instances: " + b"9" * 300 + b"\n", "out-of-range"),
    "not a number": (CARD + b"cost: {per_day: .nan}\n", "wrong-type"),
    "infinity": (CARD + b"cost: {per_day: -.inf}\n", "wrong-type"),
    "an endless duration": (CARD + b"truth: {delay: 99999999999999d, complete_after: 1d}\n", "invalid-value"),
    "an expression cut at a comma": (
        CARD + b"rollback: {when: change(metrics.score_mean, '7d') < -0.05, for: 30m}\n",
        "cut-expression",
    ),
    "140,000 cuts": (b"kind: card\na: [" + b"f(a,b)," * 140_000 + b"]", "cut-expression"),
    "a quote never closed": (b'"' + b"\\\n" * 500_000, "syntax"),
    "a long line": (CARD + b"description: " + b"x" * 1_000_000 + b"\nteir: 1\n", "unknown-field"),
    "a long name": (CARD + b"x" * 900_000 + b": 1\n", "syntax"),
    "a long value": (CARD + b"tier: " + b"x" * 900_000 + b"\n", "unknown-value"),
    "100,000 documents": (b"--- a\n" * 100_000, "second-document"),
    "100,000 directives": (b"%TAG !a! b\n" * 80_000, "directive"),
    "a tag that runs a program": (CARD + b"description: !!python/object/apply:os.system [id]\n", "tag"),
    "emoji as a key": (CARD + "😀: 1\n".encode(), "unknown-field"),
    "right to left": (CARD + "labels: {\u202etier: x}\nteir: 1\n".encode(), "unknown-field"),
    "CRLF": (CARD.replace(b"\n", b"\r\n") + b"teir: 1\r\n", "unknown-field"),
    "a byte order mark": (b"\xef\xbb\xbf" + CARD + b"teir: 1\n", "unknown-field"),
    "500 nested parentheses": (when("(" * 500 + "true" + ")" * 500), "syntax"),
    "500 nested lists": (when("[" * 500 + "]" * 500 + " == []"), "syntax"),
    "3,000 negations": (when("!" * 3_000 + "true"), "syntax"),
    "an expression of a megabyte": (when("1 + " * 200_000 + "1 > 0"), "syntax"),
    "an endless string": (when("'" + "\\'" * 1_500), "syntax"),
    "a pattern that backtracks": (when("card.model.matches(r'(a+)+\\1')"), "bad-pattern"),
    "a pattern of a million states": (when("card.model.matches('((a{1,1000}){1,1000}){1,1000}')"), "bad-pattern"),
    "200 x 200 x 200 steps": (when(f"{RANGE}.all(a, {RANGE}.all(b, {RANGE}.all(c, a + b + c >= 0)))"), "too-costly"),
}
UNREADABLE = {
    "100 MB": "too-large",
    "a directory": "unreadable-file",
    "a pipe": "unreadable-file",
    "a link to itself": "unreadable-file",
    "a link to nothing": "missing-file",
    "a socket's name": "missing-file",
}


def write(folder: Path) -> Iterator[tuple[str, Path]]:
    """Write every file; yield its name and path.

    The file of 100 MB is sparse.
    """
    for number, (name, (content, _)) in enumerate(CASES.items()):
        path = folder / f"case-{number}.yaml"
        path.write_bytes(content)
        yield name, path
    for name in UNREADABLE:
        path = folder / f"{name.replace(' ', '-')}.yaml"
        if name == "100 MB":
            with path.open("wb") as file:
                file.truncate(100_000_000)
        elif name == "a directory":
            path.mkdir()
            (path / "x.yaml").mkdir()
        elif name == "a pipe":
            os.mkfifo(path)
        elif name.startswith("a link"):
            path.symlink_to(path if name == "a link to itself" else folder / "nothing")
        yield name, path


def main() -> None:
    """Check every file below a directory; print a line of JSON for each, and the peak memory."""

    from governance.cli.main import run

    folder = Path(sys.argv[1])
    (folder / "policies").mkdir()
    (folder / "policies" / "org.yaml").write_bytes(ORG)
    os.chdir(folder)
    (folder / "files").mkdir()
    run(["check", "policies"])  # what is built once
    for name, path in write(folder / "files"):
        said = io.StringIO()
        before = time.process_time()
        with redirect_stdout(said):
            code = run(["check", "--format", "json", str(path)])
        seconds = time.process_time() - before
        found = json.loads(said.getvalue())["problems"]
        print(json.dumps({"name": name, "path": str(path), "exit": code, "seconds": seconds, "problems": found}))
    print(json.dumps({"peak": peak()}))


def peak() -> float:
    """Return the most memory that this program ever had, in MB; what getrusage says includes who started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()

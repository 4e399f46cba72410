"""Commands for who must prove what was decided: audit verify, tail, proof."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from governance.cli.output import Format, FormatOption, print_json, print_table, say, stamp

if TYPE_CHECKING:
    from governance.core.decision import Entry
    from governance.store.database import Database

_audit = typer.Typer(help="Read and verify the decision log.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    _audit.command("verify")(verify)
    _audit.command("tail")(tail)
    _audit.command("proof")(proof)
    app.add_typer(_audit, name="audit", rich_help_panel="Prove what was decided")


def verify(output: FormatOption = Format.text) -> int:
    """Verify the decision log: every entry against its hash, the tree, and the heads published outside."""
    from governance.store import decision_log

    found = decision_log.verify(_database())
    if output is Format.json:
        print_json({"ok": found.ok, "size": found.size, "root": found.root, "findings": list(found.findings)})
        return 0 if found.ok else 1
    for finding in found.findings:
        say(f"✗ {finding}")
    print(f"{'the log is sound' if found.ok else 'THE LOG WAS TAMPERED WITH'}: {found.size} entries, root {found.root}")
    return 0 if found.ok else 1


def tail(
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many entries.", min=1, max=1_000_000)] = 20,
    kind: Annotated[str, typer.Option(help="Only this kind, such as incident.opened.")] = "",
    model: Annotated[str, typer.Option(help="Only this model.")] = "",
    output: FormatOption = Format.text,
) -> int:
    """Show the newest entries of the decision log, oldest first."""
    from governance.store import decision_log

    entries = decision_log.tail(_database(), lines, kind=kind or None, model=model or None)
    if output is Format.json:
        print_json([json.loads(each.content) for each in entries])
        return 0
    rows = [
        (str(each.seq), stamp(each.decision.at), each.decision.kind, each.decision.actor, _about(each), _gist(each))
        for each in entries
    ]
    print_table(("entry", "time", "kind", "actor", "about", "what"), rows)
    return 0


def proof(
    seq: Annotated[int, typer.Argument(metavar="ENTRY", help="The number of the entry, from 0.", min=0)],
    size: Annotated[
        int | None,
        typer.Option(help="Under the head of so many entries, as a report names it; else the newest.", min=1),
    ] = None,
    root: Annotated[str, typer.Option(help="The root that you hold, in hex, such as that of a report.")] = "",
    digest: Annotated[str, typer.Option(help="The digest of the entry that you hold, in hex.")] = "",
    output: FormatOption = Format.text,
) -> int:
    """Prove that an entry is in the decision log: its content against its digest, that against a root (RFC 6962)."""
    from governance.core.merkle import leaf_hash, verify_inclusion
    from governance.store import decision_log

    database = _database()
    entry, receipt = decision_log.entry(database, seq), decision_log.receipt(database, seq, size)
    leaf, held = leaf_hash(entry.content), root.lower() or receipt.head.root.hex()
    findings = [] if leaf == receipt.leaf_hash else ["its content does not match the digest under which it was sealed"]
    findings += [] if digest.lower() in ("", leaf.hex()) else [f"its digest is {leaf.hex()}, not {digest}"]
    proved = verify_inclusion(seq, receipt.head.size, leaf, receipt.path, receipt.head.root)
    findings += [] if proved and held == receipt.head.root.hex() else [f"it is not in the log of root {held}"]
    if output is Format.json:
        path = [each.hex() for each in receipt.path]
        print_json({"ok": not findings, "entry": json.loads(entry.content), "digest": leaf.hex(), "path": path,
                    "size": receipt.head.size, "root": receipt.head.root.hex(), "findings": findings})  # fmt: skip
        return 1 if findings else 0
    say(entry.content.decode(errors="replace"))
    for each in findings:
        say(f"✗ {each}")
    print(f"{'NOT PROVED' if findings else 'proved'}: entry {seq}, digest {leaf.hex()}, "
          f"{receipt.head.size} entries, root {receipt.head.root.hex()}")  # fmt: skip
    return 1 if findings else 0


def _database() -> Database:
    from governance.bootstrap import database_of
    from governance.errors import Unavailable
    from governance.settings import Settings

    database = database_of(Settings(), read_only=True)
    if not database.exists():
        where = f"no database at {database.place}"
        raise Unavailable(f"{where}; set GOV_HOME or use -C to say where the engine works")
    database.check_layout()
    return database


def _about(entry: Entry) -> str:
    subject = entry.decision.subject
    number = subject.get("incident")
    known = [subject.get("model"), subject.get("rule"), subject.get("labels"), number and f"INC-{number}"]
    return " ".join(each for each in [*known, subject.get("notifier")] if each)


def _gist(entry: Entry) -> str:
    body = entry.decision.body
    for name in ("summary", "because", "title", "receipt", "note", "reason"):
        if body.get(name):
            return str(body[name])
    verdicts = body.get("verdicts")
    return ", ".join(f"{count} {name}" for name, count in verdicts.items()) if isinstance(verdicts, dict) else ""

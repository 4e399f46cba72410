"""Write the page of every operation that a step of a runbook can ask for, from the code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from governance import plugins
from governance.core.operation import Operation
from governance.core.own_act import OWN_ACTS

HEAD = """# Every operation of a step

Generated from the code by `make docs`; [acts](acts.md) says what they are for. The key of an act is the same for every
attempt. An operation whose answer was lost is asked again under its key where the other side drops repeats; else it is
read back; and what cannot be read back is settled by a person.
"""
_OWN = "in the transaction that writes its outcome"


def operations() -> str:
    """Return the page."""
    lines = [HEAD]
    lines += ["## The engine itself", ""]
    for each in OWN_ACTS.values():
        lines += _operation(each, "done and taken back at once", f"exactly once, {_OWN}", "not needed")
    for kind in sorted(plugins.kinds(plugins.ACTS)):
        system = plugins.kinds(plugins.ACTS)[kind].load()
        lines += [f"## Systems of kind `{kind}`", "", *_settings(system), ""]
        for each in plugins.offered(system, kind):
            repeats = "asked again under its key" if each.repeats else _unsure(system)
            lines += _operation(each, _said(system, "dry_run"), repeats, _said(system, "read_back"))
    return "\n".join(lines).rstrip() + "\n"


def _unsure(system: Any) -> str:
    again = "asked again under its key only where the settings say `idempotent: true`"
    return again if isinstance(system.REPEATS, property) else "read back, never asked again"


def _operation(operation: Operation, dry: str, repeats: str, back: str) -> Iterator[str]:
    yield f"### `{operation.name}`"
    yield ""
    yield operation.summary
    yield ""
    yield "| parameter | what it may be | unless said |"
    yield "| --- | --- | --- |"
    schema = operation.document.model_json_schema()
    for name, each in schema.get("properties", {}).items():
        yield f"| `{name}` | {_words(each, schema)} | {_default(name, each, schema)} |"
    yield ""
    outputs = ", ".join(f"`{name}` ({kind})" for name, kind in operation.outputs.items())
    more = ", and what `outputs` names" if "outputs" in operation.document.model_fields else ""
    yield f"- outputs: {outputs or 'none'}{more}"
    yield f"- dry run: {dry}"
    yield f"- answer lost: {repeats}"
    yield f"- read back: {back}"
    yield ""


def _settings(system: Any) -> Iterator[str]:
    yield " ".join((inspect.getdoc(system) or "").split())
    yield ""
    yield "Settings: " + ", ".join(f"`{name}`" for name in system.Config.model_fields) + "."


def _said(system: Any, method: str) -> str:
    found = getattr(system, method, None)
    text = (inspect.getdoc(found) or "").partition("\n")[0] if found is not None else "not possible"
    return text[:1].lower() + text[1:].rstrip(".")


def _words(each: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return what a JSON Schema allows in a few words."""
    if "$ref" in each:
        inside = schema["$defs"][each["$ref"].rpartition("/")[2]]
        return "{" + ", ".join(inside.get("properties", {})) + "}"
    if "enum" in each:
        return ", ".join(f"`{one}`" for one in each["enum"])
    if "anyOf" in each:
        return " or ".join(dict.fromkeys(_words(one, schema) for one in each["anyOf"] if one.get("type") != "null"))
    if "examples" in each:
        return f"such as `{each['examples'][0]}`"
    kind = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    if each.get("type") == "array":
        return f"a list: {_words(each.get('items', {}), schema)}"
    if each.get("type") == "object":
        inner = each.get("additionalProperties")
        return f"names, each with {_words(inner, schema)}" if isinstance(inner, Mapping) else "anything"
    words = kind.get(str(each.get("type")), "anything")
    return f"{words} like `{each['pattern']}`".replace("|", "\\|") if "pattern" in each else words


def _default(name: str, each: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if name in schema.get("required", ()):
        return "must be said"
    found = each.get("default")
    shown = str(found).lower() if isinstance(found, bool) else found
    return f"`{shown}`" if found not in (None, "", [], {}) else "–"

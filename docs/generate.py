"""Write what the documentation takes from the code: the JSON Schemas and the page of measures."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from governance.bootstrap import KINDS, shipped
from governance.core.duration import format_duration
from governance.core.measure import MEASURES
from governance.core.pack import Pack
from governance.loader.published import json_schema

HERE = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Return every generated file with its text."""
    schemas = {
        HERE / "schema" / f"{kind}.json": json.dumps(json_schema(kind, document), indent=2) + "\n"
        for kind, document in KINDS.items()
    }
    return {**schemas, HERE / "measures.md": measures()}


def measures() -> str:
    """Return the page of measures: what each means and needs, and the standard metrics made of it."""
    text = (shipped("policies") / "packs" / "standard.yaml").read_text(encoding="utf-8")
    pack = Pack.model_validate({key: value for key, value in yaml.safe_load(text).items() if key != "kind"})
    standard: dict[str, list[str]] = {}
    for name, metric in pack.metrics.items():
        window = format_duration(metric.window) if metric.window else "1h"
        least = f", at least {metric.min_samples} rows" if metric.min_samples else ""
        standard.setdefault(metric.measure or "", []).append(f"`{name}` ({window}{least})")
    rows = [
        f"| `{name}` | {each.description} | {each.unit or '–'} | {', '.join(each.needs) or '–'} | "
        f"{', '.join(by or 'whole' for by in each.by)} | {'yes' if each.needs_truth else 'no'} | "
        f"{', '.join(standard.get(name, ['–']))} |"
        for name, each in MEASURES.items()
    ]
    head = [
        "# Measures over the prediction log",
        "",
        "Generated from `governance/core/measure.py` and `policies/packs/standard.yaml` by `make docs`.",
        "",
        "A card's metric names one as `measure:`; the pack `standard` makes metrics of them for every card whose log",
        "maps the columns they need. Windows end at full hours, those that need the truth at the label watermark.",
        "A feature whose column no file ever had, and a table of labels (once labels are due) or of the reference that",
        "never had a file, are an error that names them: they are taken for misspelt, not for missing data.",
        "",
        "`where` is a condition in SQL over the log's columns: the measure is that of the rows for which it is true,",
        "as if there were no others, also in the training-time rows that it is compared with. A distribution is",
        "compared with `against`: `{reference: training}` (the default), `{window: 28d}` (the time before the window)",
        'or `{version: "2013.01"}` (what that version saw before the window). Each `where`, and each version that is',
        "compared with, has counts of its own, for which the log's files are read once more.",
        "",
        "| measure | meaning | unit | columns needed | split by | needs truth | standard metrics (window) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows]) + "\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(HERE.parent))

"""Put a first workspace into a directory: a card, an organisation, the schemas for editors; nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from governance.core.organisation import Organisation
from governance.errors import Conflict, InvalidDocument, Unavailable
from governance.loader import load

SOURCE = "predictions"


class Place(NamedTuple):
    """Where a log lies: the source and its directory, the table in it."""

    source: str
    directory: str
    table: str


def place_of(path: Path, *, parquet: bool) -> Place:
    """Return where the log of a sample lies; what is not Parquet is to be copied into `data`."""
    if not parquet or (path.is_file() and path.suffix != ".parquet"):
        return Place(SOURCE, "data", path.name.partition(".")[0] or "log")
    return Place(SOURCE, _shown(path.resolve().parent), path.stem if path.is_file() else path.resolve().name)


def organised(policies: Path) -> Organisation | None:
    """Return the organisation that there is already, None where there is none.

    :raises InvalidDocument: when it has problems
    """
    path = policies / "org.yaml"
    if not path.exists():
        return None
    found = load([path], {"org": Organisation})
    if found.problems:
        raise InvalidDocument("\n".join(each.render() for each in found.problems))
    document = found.loaded[0].document
    assert isinstance(document, Organisation)  # noqa: S101 (no other kind was asked for)
    return document


def known_source(organisation: Organisation, place: Place) -> Place:
    """Return the place by the name that the organisation has for its source.

    :raises InvalidDocument: when it names no source for it
    """
    for name, plugin in organisation.sources.items():
        lies = plugin.settings().get("path")
        there = lies is not None and Path(str(lies)).resolve() == Path(place.directory).resolve()
        if plugin.kind == "parquet" and there:
            return place._replace(source=name)
    free = next(name for name in _names() if name not in organisation.sources)
    raise InvalidDocument(
        f"org.yaml names no source for the directory {place.directory}; "
        f"add this below `sources:` and run the command again: {free}: {{kind: parquet, path: {place.directory}}}"
    )


def refuse_existing(paths: Iterable[Path]) -> None:
    """Refuse files that are there already.

    :raises Conflict: when one is there
    """
    for path in paths:
        if path.exists():
            raise Conflict(f"{path} is there already, and nothing is overwritten; choose another name, or move it away")


def write(files: Mapping[Path, str], *, also: Mapping[Path, str]) -> list[Path]:
    """Write files that must not be there yet, and `also` those that are not there; return what was written.

    :raises Conflict: when one is there; nothing is written then
    :raises Unavailable: when the disk does not take them
    """
    refuse_existing(files)
    wanted = {**files, **{path: text for path, text in also.items() if not path.exists()}}
    try:
        for path, text in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise Unavailable(f"{error.filename or 'a file'} cannot be written: {error.strerror}") from error
    return list(wanted)


def schemas(kinds: Mapping[str, type[BaseModel]]) -> dict[Path, str]:
    """Return the files that editors complete and check by."""
    import json

    from governance.loader.published import json_schema

    return {
        Path(".schema") / f"{kind}.json": json.dumps(json_schema(kind, document), indent=2) + "\n"
        for kind, document in kinds.items()
    }


def _names() -> list[str]:
    return [SOURCE, *(f"{SOURCE}_{number}" for number in range(2, 1000))]


def _shown(directory: Path) -> str:
    """Return a directory relative to the workspace where it lies in it, so that the workspace can be moved."""
    here = Path.cwd().resolve()
    return directory.relative_to(here).as_posix() if directory.is_relative_to(here) else directory.as_posix()

"""The YAML that we allow, from the parser's events, and every place where a file leaves it.

libyaml's events come one at a time and without recursion: depth is checked while reading, aliases are seen where they
stand, and nothing is ever expanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from governance.core.problem import Problem
from governance.loader import limits
from governance.loader.cuts import cut_in_entry, cut_in_item
from governance.loader.scalars import plain_value
from governance.loader.source import Source
from governance.loader.tree import Listing, Mapping, Node, Scalar

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there


class StopError(Exception):
    """The file passes a limit, and reading it further would cost too much; the last problem tells."""


class Builder:
    """Build the tree of one document from events; `problems` and `open` tell how far it came."""

    def __init__(self, source: Source, text: str, mended: set[int]) -> None:
        """Take the source for positions, the text to parse, and where it was repaired."""
        self.source = source
        self.mended = mended
        self.text = text
        self.problems: list[Problem] = []
        self.count = 0
        self.root: Node | None = None
        self.open: list[Mapping | Listing] = []
        self.last: Scalar | None = None  # the last plain value, for cuts that end in a syntax error
        self._keys: list[Scalar | None] = []  # of each open collection, the key that waits for its value

    def build(self) -> Node | None:
        """Read the document.

        :raises yaml.MarkedYAMLError: the text is not YAML
        :raises StopError: it passes a limit
        :raises CutError: a flow collection cut an expression
        """
        event: Any
        for event in _events(self.text):
            if isinstance(event, yaml.ScalarEvent):
                self._place(self._scalar(event), event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                self._start(event)
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                self._end(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentEndEvent):
                self._finish(event)
                break  # libyaml would parse what follows
        return self.root

    def _scalar(self, event: Any) -> Scalar:
        style = "" if event.style in (None, "") else event.style
        scalar = Scalar(event.start_mark.index, event.end_mark.index, event.value, style, event.value)
        if scalar.start in self.mended:
            scalar.data = scalar.text = self.source.text[scalar.start : scalar.end]
            scalar.broken = True
        elif not style:
            try:
                scalar.data = plain_value(event.value)
            except ValueError as error:
                self._report(scalar, "invalid-number", str(error))
        return scalar

    def _start(self, event: Any) -> None:
        if len(self.open) >= limits.DEEPEST:
            self.problems.append(limits.too_deep(self.source, event.start_mark.index))
            raise StopError
        sort = Mapping if isinstance(event, yaml.MappingStartEvent) else Listing
        node = sort(event.start_mark.index, event.end_mark.index, bool(event.flow_style))
        self._place(node, event)
        self.open.append(node)
        self._keys.append(None)

    def _end(self, event: Any) -> None:
        self.open.pop().end = event.end_mark.index
        self._keys.pop()

    def _alias(self, event: Any) -> None:
        name = f"*{event.anchor}"
        scalar = Scalar(event.start_mark.index, event.end_mark.index, name, "'", name)
        self._report(scalar, "alias", f"aliases are not allowed; write the value of {name} here")
        self._place(scalar, None)

    def _place(self, node: Node, event: Any) -> None:
        """Put a node where the document is open: as the root, an item, a key or a value."""
        self.count += 1
        if self.count > limits.MOST_VALUES:
            self.problems.append(limits.too_many(self.source, node.start))
        if self.count > limits.MOST_VALUES or len(self.problems) > limits.MOST_PROBLEMS:
            raise StopError
        if event is not None and (event.anchor or event.tag or self.text[node.start : node.start + 1] == "!"):
            self._property(node, event)
        if not self.open:
            self.root = node
        elif isinstance(parent := self.open[-1], Listing):
            cut_in_item(self.text, parent, node)
            parent.items.append(node)
            self.last = node if isinstance(node, Scalar) and not node.style else None
        elif (key := self._keys[-1]) is None:
            self._keys[-1] = self._key(node)
        else:
            self._keys[-1] = None
            self._entry(parent, key, node)

    def _key(self, node: Node) -> Scalar:
        if not isinstance(node, Scalar):
            key = Scalar(node.start, node.end, f"\0{node.start}", "", None)  # a name that no text can have
            self._report(
                key, "key-not-text", f"a key must be text, not a {'map' if isinstance(node, Mapping) else 'list'}"
            )
            return key
        if node.broken or isinstance(node.data, str):
            return node
        self._report(node, "key-not-text", f'a key must be text; quote it: "{node.text}"')
        return node

    def _entry(self, parent: Mapping, key: Scalar, node: Node) -> None:
        cut_in_entry(self.text, parent, key, node)
        self.last = node if isinstance(node, Scalar) and not node.style else None
        if key.text == "<<" and not key.style:
            self._report(key, "merge-key", "merge keys are not allowed; write the entries here")
            parent.broken = True  # what it lacks may be what the merge was to bring
        elif (first := parent.keys.get(key.text)) is not None:
            line = self.source.span(first.start, first.end).line
            self._report(key, "duplicate-key", f"'{key.text}' is written twice; first on line {line}")
        elif not key.text.startswith("\0"):
            parent.keys[key.text] = key
            parent.entries[key.text] = node
            node.broken = node.broken or key.broken

    def _property(self, node: Node, event: Any) -> None:
        end = next((at for at in range(node.start, len(self.text)) if self.text[at] in " \t\r\n,]}"), len(self.text))
        shown = self.text[node.start : end]
        position, whole = self.source.span(node.start, end), not isinstance(node, Scalar)
        if event.anchor:
            message = f"anchors are not allowed; remove &{event.anchor}"
            self.problems.append(self.source.problem(position, "anchor", message))
        if event.tag or shown.startswith("!"):
            node.broken = not whole  # a tagged map or list is checked as if the tag were not there
            quote = "" if shown.startswith("!!") else ", or quote the text that begins with it"
            self.problems.append(self.source.problem(position, "tag", f"tags are not allowed; remove {shown}{quote}"))

    def _finish(self, event: Any) -> None:
        """Report what follows the document."""
        offset = event.end_mark.index
        rest = self.text[offset:]
        for line in rest.splitlines(keepends=True):
            if line.strip() and not line.startswith("...") and not line.lstrip().startswith("#"):
                message = "a file holds one document; put this one into its own file"
                if not line.startswith("---"):
                    message = "nothing may follow the end of the document"
                end = offset + len(line.rstrip())
                self.problems.append(self.source.problem(self.source.span(offset, end), "second-document", message))
                return
            offset += len(line)

    def _report(self, node: Node, code: str, message: str) -> None:
        node.broken = True
        self.problems.append(self.source.problem(self.source.span(node.start, node.end), code, message))


def _events(text: str) -> Iterator[Any]:
    loader = _Loader(text)
    try:
        while loader.check_event():
            yield loader.get_event()
    finally:
        loader.dispose()

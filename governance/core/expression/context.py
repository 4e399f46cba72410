"""The values of an expression's variables, shared by all rules of a model."""

from __future__ import annotations

from collections.abc import Mapping

from governance.core.expression.values import native


class Context:
    """Variables with their values; each is converted once, when first used, and shared by all children.

    Fields whose value is None are left out, so that has() is false for them.
    """

    __slots__ = ("_parent", "_ready", "_variables")

    def __init__(self, variables: Mapping[str, object], parent: Context | None = None) -> None:
        self._variables = variables
        self._ready: dict[str, object] = {}
        self._parent = parent

    def extend(self, variables: Mapping[str, object]) -> Context:
        """Return a child with more variables; they hide those of the same name."""
        return Context(variables, self)

    def value(self, name: str) -> object:
        """Return the value of a variable.

        :raises KeyError: there is no such variable
        """
        try:
            return self._ready[name]
        except KeyError:
            return self._found(name)

    def _found(self, name: str) -> object:
        if name in self._variables:
            value = native(self._variables[name])
        elif self._parent is None:
            raise KeyError(name)
        else:
            value = self._parent.value(name)
        # Two threads may both convert; they store equal values, so no lock is needed.
        return self._ready.setdefault(name, value)

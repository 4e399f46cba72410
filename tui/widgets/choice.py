"""One of several choices."""

from __future__ import annotations

from textual.widgets import RadioButton


class Choice(RadioButton):
    """A choice whose mark says whether it is taken, also without colour."""

    def watch_value(self) -> None:
        """Change the mark with the value."""
        self.BUTTON_INNER = "●" if self.value else "○"
        super().watch_value()

    def on_mount(self) -> None:
        """Begin with the right mark."""
        self.BUTTON_INNER = "●" if self.value else "○"

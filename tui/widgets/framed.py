"""Lines within a border that tells which part of all lines is seen, drawn as seldom as can be.

What the framework keeps of how a line is filtered, cut and written hangs on the object of the line, and it makes new
objects of all lines when one scrolls. Here a line that says the same remains the same object, and the border is the
scrollbar: one that is a widget of its own would be drawn anew at each key, 40 lines of one cell.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.events import MouseDown, MouseEvent, MouseMove, MouseUp
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

HEAD = 1
"""Lines at the top that do not scroll."""
THUMB = "framed--thumb"
MARK = "┃"


class Framed(ScrollView):
    """A head, and lines that scroll below it; `render_line` gives the same object for what says the same."""

    COMPONENT_CLASSES = {THUMB}
    DEFAULT_CSS = "Framed > .framed--thumb { color: $muted; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._kept: dict[tuple[int, bool], tuple[Strip, Strip]] = {}
        self._frame = Strip([])

    @property
    def thumb(self) -> range:
        """The lines at whose right border the part that is seen is told; none where all is seen."""
        height, count = self.size.height - HEAD, self.virtual_size.height - HEAD
        if count <= height or height < 1 or not self.styles.gutter.right:
            return range(0)
        length = max(1, height * height // count)
        start = HEAD + round((height - length) * self.scroll_offset.y / (count - height))
        return range(start, start + length)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines with their border: the same objects as before, of what says the same."""
        if self.opacity != 1:
            return super().render_lines(crop)
        top, ends, thumb = self.gutter.top, crop.column_span, self.thumb
        scrolling = range(top + HEAD, top + self.size.height)
        before = self._framed_as_before(top)
        self._kept, lines = {}, []
        for y in crop.line_range:
            if y not in scrolling:
                lines += super().render_lines(Region(crop.x, y, crop.width, 1))
                continue
            line = self.render_line(y - top)
            key = id(line), y - top in thumb
            self._kept[key] = kept = before.get(key) or (line, self._between(line, thumb=key[1]))
            lines.append(kept[1].crop(*ends))
        return lines

    def _framed_as_before(self, top: int) -> dict[tuple[int, bool], tuple[Strip, Strip]]:
        """Return the lines that can be used again; take the border from the head, which the framework has framed."""
        frame = super().render_lines(Region(0, top, self.outer_size.width, 1))[0]
        same, self._frame = frame == self._frame, frame
        return self._kept if same else {}

    def _between(self, line: Strip, *, thumb: bool) -> Strip:
        """Return a line with its border to the left and right."""
        left, frame = self.gutter.left, self._frame
        start, end = left + line.cell_length, frame.cell_length - thumb
        mark = [self._filtered(Strip([Segment(MARK, self.rich_style + self._thumb_style)]))] if thumb else []
        return Strip.join([frame.crop(0, left), self._filtered(line), frame.crop(start, end), *mark])

    def _filtered(self, line: Strip) -> Strip:
        ground = self.background_colors[1]
        for each in self.get_line_filters():
            line = line.apply_filter(each, ground)
        return line

    @property
    def _thumb_style(self) -> Style:
        return self.get_component_rich_style(THUMB, partial=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw the lines anew, and the border beside them."""
        if self.scrollbar_size_vertical:  # one without a border has the framework's own
            self.vertical_scrollbar.position = new_value
        if round(old_value) != round(new_value):
            self.refresh(Region(0, 0, self.size.width + self.styles.gutter.right, self.size.height))

    def at_border(self, event: MouseEvent) -> bool:
        """Tell whether the mouse is at the right border."""
        return event.x >= self.outer_size.width - self.styles.gutter.right

    def on_mouse_down(self, event: MouseDown) -> None:
        """Take hold of the border."""
        if self.thumb and self.at_border(event):
            self.capture_mouse()
            self._pull(event)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Scroll to where the border is pulled."""
        if self.app.mouse_captured is self:
            self._pull(event)

    def on_mouse_up(self, event: MouseUp) -> None:
        """Let go of the border."""
        del event
        if self.app.mouse_captured is self:
            self.release_mouse()

    def _pull(self, event: MouseEvent) -> None:
        """Scroll so that the part that is seen is told at the mouse."""
        event.stop()
        length, height = len(self.thumb), self.size.height - HEAD
        start = event.y - self.gutter.top - HEAD - length // 2
        self.scroll_to(y=round(start / max(height - length, 1) * self.max_scroll_y), animate=False)

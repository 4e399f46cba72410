"""One screen per file, with its styles beside it."""

from collections.abc import Callable, Mapping

from tui.screens.approvals import Approvals
from tui.screens.fleet import FleetScreen
from tui.screens.frame import Frame
from tui.screens.on_call import OnCall

VIEWS: Mapping[str, Callable[[], Frame]] = {
    "fleet": FleetScreen,
    "approvals": Approvals,
    "on_call": OnCall,
}
"""The views by the names that the table of keys calls them."""

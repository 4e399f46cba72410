"""One screen per file, with its styles beside it."""

from collections.abc import Callable, Mapping

from tui.screens.approvals import Approvals
from tui.screens.fleet import FleetScreen
from tui.screens.frame import Frame
from tui.screens.incidents import Incidents
from tui.screens.log import Log
from tui.screens.on_call import OnCall
from tui.screens.policies import Policies
from tui.screens.runs import Runs

VIEWS: Mapping[str, Callable[[], Frame]] = {
    "fleet": FleetScreen,
    "incidents": Incidents,
    "runs": Runs,
    "approvals": Approvals,
    "policies": Policies,
    "log": Log,
    "on_call": OnCall,
}
"""The views by the names that the table of keys calls them."""

"""A typed client of the HTTP API: what the terminal app, and commands against a running engine, speak through.

Every call raises one of our errors: Unavailable when the engine does not answer in time (Unreached where no connection
was made, so that nothing was sent), Denied, Conflict, NotFound or InvalidDocument with the sentence that it answered.
"""

from governance.client.connection import AGENT, TERMINAL_APP
from governance.client.consent import Consent
from governance.client.fleet import Fleet
from governance.client.incidents import Incidents
from governance.client.log import Log
from governance.client.models import Models
from governance.client.notifications import Notifications
from governance.client.policies import Policies
from governance.client.runs import Runs
from governance.client.slack_links import SlackLinks
from governance.client.switches import Switches

__all__ = ["AGENT", "TERMINAL_APP", "Client"]


class Client(Fleet, Incidents, Notifications, Models, Switches, Consent, Runs, Policies, Log, SlackLinks):
    """Speaks to one engine as one person; for any number of threads."""

"""Read models: what the command line, the API, Slack and the terminal app show."""

from governance.views.fleet import FleetRow, FleetView, MetricView
from governance.views.incidents import (
    AlertView,
    FindingView,
    IncidentDoneView,
    IncidentView,
    NotificationView,
    RuleView,
    TermView,
    WhyView,
    incident_view,
    why_view,
)
from governance.views.log import EntryView, ProofView
from governance.views.people import WhoamiView
from governance.views.switches import (
    ApprovalView,
    ConfirmationsView,
    MayView,
    ScopeView,
    SettingView,
    SwitchDoneView,
    SwitchView,
)
from governance.views.view import Page, View

__all__ = [
    "AlertView",
    "ApprovalView",
    "ConfirmationsView",
    "EntryView",
    "FindingView",
    "FleetRow",
    "FleetView",
    "IncidentDoneView",
    "IncidentView",
    "MayView",
    "MetricView",
    "NotificationView",
    "Page",
    "ProofView",
    "RuleView",
    "ScopeView",
    "SettingView",
    "SwitchDoneView",
    "SwitchView",
    "TermView",
    "View",
    "WhoamiView",
    "WhyView",
    "incident_view",
    "why_view",
]

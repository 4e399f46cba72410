"""Read models: what the command line, the API, Slack and the terminal app show."""

from governance.core.duration import in_words
from governance.views.escalation import EscalationView, LevelView, ReachView
from governance.views.fleet import FleetRow, FleetView, MetricView
from governance.views.incidents import (
    AlertView,
    FindingView,
    IncidentDoneView,
    IncidentView,
    ItemView,
    LinkView,
    NotificationView,
    RuleView,
    TermView,
    TimelineLine,
    WhyView,
    incident_view,
    why_view,
)
from governance.views.log import EntryView, ProofView
from governance.views.models import ModelView, PolicyMetricView, PolicyRuleView, PolicyView, VerdictsView
from governance.views.people import WhoamiView
from governance.views.policies import AppliedView, CheckView, ProblemView, RunningView, VersionView
from governance.views.runs import AnswerView, RunbookView, RunBrief, RunDoneView, RunView, StepView
from governance.views.switches import (
    ApprovalView,
    ConfirmationsView,
    DrillView,
    FallbackView,
    MayView,
    ScopeView,
    SettingView,
    SwitchDoneView,
    SwitchView,
)
from governance.views.view import Page, View
from governance.views.waivers import ApprovalDoneView, SilenceDoneView, SilenceView, WaiverDoneView, WaiverView

__all__ = [
    "AlertView",
    "AnswerView",
    "AppliedView",
    "ApprovalDoneView",
    "ApprovalView",
    "CheckView",
    "ConfirmationsView",
    "DrillView",
    "EntryView",
    "EscalationView",
    "FallbackView",
    "FindingView",
    "FleetRow",
    "FleetView",
    "IncidentDoneView",
    "IncidentView",
    "ItemView",
    "LevelView",
    "LinkView",
    "MayView",
    "MetricView",
    "ModelView",
    "NotificationView",
    "Page",
    "PolicyMetricView",
    "PolicyRuleView",
    "PolicyView",
    "ProblemView",
    "ProofView",
    "ReachView",
    "RuleView",
    "RunBrief",
    "RunDoneView",
    "RunView",
    "RunbookView",
    "RunningView",
    "ScopeView",
    "SettingView",
    "SilenceDoneView",
    "SilenceView",
    "StepView",
    "SwitchDoneView",
    "SwitchView",
    "TermView",
    "TimelineLine",
    "VerdictsView",
    "VersionView",
    "View",
    "WaiverDoneView",
    "WaiverView",
    "WhoamiView",
    "WhyView",
    "in_words",
    "incident_view",
    "why_view",
]

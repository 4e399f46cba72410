"""Kill switches of machine-learning models in a serving process, answered from memory."""

from model_governance_openfeature.provider import GovernanceProvider
from model_governance_openfeature.switch import Decision
from model_governance_openfeature.switches import Switches

__all__ = ["Decision", "GovernanceProvider", "Switches"]

"""The switches as an OpenFeature provider, source: https://openfeature.dev/specification/sections/providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import FlagNotFoundError, ProviderNotReadyError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from model_governance_openfeature.answer import Flag
from model_governance_openfeature.keeper import Event
from model_governance_openfeature.switch import NO_LABELS, Decision
from model_governance_openfeature.switches import Switches

VERSION = "version"
REASONS = {each.value: each for each in Reason}
Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class GovernanceProvider(AbstractProvider):
    """Answers `<model>.serve` and `<model>.mode` for each request, and all other flags as the engine last did.

    Of the evaluation context it reads the targeting key, the attribute `version`, and the others as labels.
    """

    def __init__(self, switches: Switches) -> None:
        """Answer from these switches."""
        super().__init__()
        self._switches = switches
        switches.listen(self._heard)

    def get_metadata(self) -> Metadata:
        """Return its name."""
        return Metadata("model-governance")

    def initialize(self, evaluation_context: EvaluationContext) -> None:
        """Start the switches again when they were closed; with nothing known yet, `on_unknown` answers."""
        self._switches.start()

    def shutdown(self) -> None:
        """Close the switches."""
        self._switches.close()

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Return whether a model's output may answer, or another flag that is true or false."""
        model, _, kind = flag_key.rpartition(".")
        if kind == "serve" and (decision := self._decided(model, evaluation_context)) is not None:
            return _details(decision.serve, decision, decision.variant)
        return self._told(flag_key, bool)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Return the mode that holds, or another flag that is text."""
        model, _, kind = flag_key.rpartition(".")
        if kind == "mode" and (decision := self._decided(model, evaluation_context)) is not None:
            return _details(decision.mode, decision, decision.mode)
        return self._told(flag_key, str)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Return a flag that is a whole number."""
        return self._told(flag_key, int)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Return a flag that is a number."""
        return self._told(flag_key, float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Object,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Object]:
        """Return a flag that is an object, such as `<model>.switch` as the engine knows it."""
        return self._told(flag_key, dict)

    def _decided(self, model: str, context: EvaluationContext | None) -> Decision | None:
        if context is None:
            return self._switches.find(model)
        attributes = context.attributes
        labels = labels_of(attributes) if attributes else NO_LABELS
        return self._switches.find(model, context.targeting_key or "", labels.get(VERSION, ""), labels)

    def _told(self, key: str, kind: type) -> FlagResolutionDetails[Any]:
        """Return a flag as the engine last answered it.

        :raises ProviderNotReadyError: when nothing was ever heard of the engine.
        :raises FlagNotFoundError: when it has no such flag.
        :raises TypeMismatchError: when the flag is of another type.
        """
        flag = self._switches.flag(key)
        if flag is None:
            if self._switches.known:
                raise FlagNotFoundError(f"The engine has no flag {key}; flags are <model>.serve, .mode and .switch")
            raise ProviderNotReadyError("Nothing was heard of the engine yet, and there is no snapshot")
        value = flag["value"]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        fits = isinstance(value, (dict, list)) if kind is dict else type(value) is kind
        if not fits:
            raise TypeMismatchError(f"The flag {key} is {value!r}, not of the type asked for")
        reason = Reason.STALE if self._switches.stale else flag.get("reason", Reason.UNKNOWN)
        return FlagResolutionDetails(
            value=value, reason=reason, variant=flag.get("variant"), flag_metadata=_plain(flag)
        )

    def _heard(self, event: Event, flags: list[str]) -> None:
        if event == "changed":
            self.emit_provider_configuration_changed(ProviderEventDetails(flags_changed=flags))
        elif event == "stale":
            self.emit_provider_stale(ProviderEventDetails(message="The engine is silent; the last known state holds"))
        else:
            self.emit_provider_ready(ProviderEventDetails())


def labels_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a context as labels; what is neither text, number nor truth value is none."""
    return {name: text for name, value in attributes.items() if (text := _text(value)) is not None}


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else None


def _plain(flag: Flag) -> dict[str, bool | int | float | str]:
    metadata = flag.get("metadata")
    found = metadata.items() if isinstance(metadata, Mapping) else ()
    return {str(name): value for name, value in found if isinstance(value, (bool, int, float, str))}


def _details(value: Any, decision: Decision, variant: str) -> FlagResolutionDetails[Any]:
    return FlagResolutionDetails(
        value=value,
        reason=REASONS[decision.reason],
        variant=variant,
        flag_metadata={
            "seq": decision.seq,
            "mode": decision.mode,
            "fallback": decision.fallback,
            "reason": decision.because,
        },
    )

"""What a plan asks of a host: present values, what its kernel has, and what the kernel's formula makes of a change."""

from __future__ import annotations

from advisor.errors import Unknown
from advisor.hints import TYPE_CHECKING, Protocol
from advisor.signals.formula import auto_upper, facts_told, features_told, memory_counters, settings, zone_inputs
from advisor.signals.settings import current as current_value
from advisor.signals.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from advisor.predict import Prediction
    from advisor.signals.model import Value
    from advisor.signals.view import View
    from advisor.tunables import HostFacts, Tunable
    from advisor.tunables import Value as SettingValue


class Known(Protocol):
    """What a plan asks of a host; of one capture here, of a store of many in `advisor.fleet`."""

    predicts: bool
    """Whether `predicted` has an answer wherever `facts` has one."""

    def now(self, tunable: Tunable) -> SettingValue | None:
        """A setting's value, in its own unit; None when unknown."""

    def lacks(self, tunable: Tunable) -> bool:
        """Whether the kernel is known not to have a setting."""

    def features(self) -> frozenset[str]:
        """What the kernel has, as far as it is known."""

    def facts(self) -> HostFacts | None:
        """What limits depend on; None when the zones are unknown."""

    def signals(self, names: Iterable[str]) -> Mapping[str, Value]:
        """Signals by name."""

    def predicted(self, changes: Mapping[str, SettingValue]) -> Prediction | None:
        """What the kernel's formula makes of changed settings; None when that cannot be told."""


class OfCapture:
    """What a plan asks of the host of a capture."""

    predicts = True

    def __init__(self, view: View) -> None:
        self.view = view

    def now(self, tunable: Tunable) -> SettingValue | None:
        """See `Known`."""
        try:
            return current_value(self.view, tunable)
        except Unknown:
            return None

    def lacks(self, tunable: Tunable) -> bool:
        """Whether the capture holds the settings of this kernel, and this one is not among them."""
        text = self.view.capture.text
        return text("proc/sys/vm/swappiness") is not None and text(tunable.path) is None

    def features(self) -> frozenset[str]:
        """See `Known`."""
        return features_told(self.view)

    def facts(self) -> HostFacts | None:
        """See `Known`."""
        return facts_told(self.view)

    def signals(self, names: Iterable[str]) -> Mapping[str, Value]:
        """See `Known`."""
        return Table(self.view).row(names).values

    def predicted(self, changes: Mapping[str, SettingValue]) -> Prediction | None:
        """See `Known`."""
        return predict_changes(self.view, changes)


def predict_changes(view: View, changes: Mapping[str, SettingValue]) -> Prediction | None:
    """What the kernel's formula makes of changed settings; None where the capture holds no zones.

    Raises:
        AdvisorError: a setting is unknown or a value cannot be.
    """
    from advisor.predict import predict  # noqa: PLC0415  (few plans move marks)

    try:
        return predict(zone_inputs(view), settings(view), memory_counters(view), changes, auto_upper=auto_upper(view))
    except Unknown:
        return None

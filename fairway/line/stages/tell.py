"""Spell what a check found as JSON, for reports.

Room: ``fairway.line``.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from fairway.data.check import RuleResult


def rules(found: Iterable[RuleResult]) -> list[dict[str, Any]]:
    """Spell rule results without their examples: evidence holds no row's values."""
    return [{k: v for k, v in asdict(one).items() if k != "examples"} for one in found]

"""Judge a model or a release by conditions: a pure function of evidence.

Room: ``fairway.delivery``, after ``condition`` and ``evidence``. The caller fetches evidence from
the journal and signs the verdict; nothing is fetched, written or computed anew here. Evidence that
is missing, speaks of other bytes, or cannot be read refuses: a gate never passes for want of
knowledge.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairway.delivery.condition import FIXED_WORD, UNSLICED, Condition, Reference
from fairway.delivery.evidence import (
    Evidence,
    Measured,
    UnfitError,
    as_mapping,
    as_measured,
    open_body,
    say,
)
from fairway.digest import Digest, of_json, short


@dataclass(frozen=True, kw_only=True)
class RuleVerdict:
    """What became of one condition.

    Attributes:
        rule: The condition's text.
        passed: Whether it holds.
        value: What was held against it, a JSON value; ``None`` where nothing is known.
        why: Value and interval in plain words, and if it fails, what to do.
    """

    rule: str
    passed: bool
    value: float | str | None
    why: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a gate says.

    Attributes:
        passed: Whether every rule holds.
        rules: One verdict a condition, in order.
        notes: What a reader must know besides: a missing champion, changed criteria.
        criteria: Digest of the conditions that were judged.
    """

    passed: bool
    rules: tuple[RuleVerdict, ...]
    notes: tuple[str, ...]
    criteria: Digest

    def to_json(self) -> dict[str, Any]:
        """Spell it as ``{"pass", "rules", "notes", "criteria"}``.

        A rule is ``{"rule", "pass", "value", "why"}``.
        """
        return {
            "pass": self.passed,
            "rules": [
                {"rule": rule.rule, "pass": rule.passed, "value": rule.value, "why": rule.why}
                for rule in self.rules
            ],
            "notes": list(self.notes),
            "criteria": self.criteria,
        }


def digest_of(conditions: Sequence[Condition | str]) -> Digest:
    """Name criteria by their texts in order, as declared before training."""
    return of_json([one if isinstance(one, str) else one.text for one in conditions])


def decide(conditions: Sequence[Condition], evidence: Evidence) -> Verdict:
    """Judge every condition on the evidence. The same arguments give the same verdict.

    Metrics are judged by their point value, with the interval in ``why``. ``worst(COLUMN).METRIC``
    is the end of the interval that favours the model, over slices that are large enough. A
    reference is judged by the paired difference's point value against the offset.
    """
    notes = _criteria_notes(conditions, evidence.declared)
    rules = []
    for condition in conditions:
        try:
            rules.append(_judge(condition, evidence, notes))
        except UnfitError as unfit:
            rules.append(
                _rule(condition, passed=False, value=None, why=f"{condition.left}: {unfit}")
            )
    if not conditions:
        notes.append("This gate has no rules: everything passes.")
    return Verdict(
        passed=all(rule.passed for rule in rules),
        rules=tuple(rules),
        notes=tuple(dict.fromkeys(notes)),
        criteria=digest_of(conditions),
    )


def _rule(
    condition: Condition, *, passed: bool, value: float | str | None, why: str
) -> RuleVerdict:
    return RuleVerdict(rule=condition.text, passed=passed, value=value, why=why)


def _criteria_notes(
    conditions: Sequence[Condition], declared: Digest | Sequence[str] | None
) -> list[str]:
    if declared is None:
        return ["Nothing tells which criteria were declared when training began."]
    now = digest_of(conditions)
    then = Digest(declared) if isinstance(declared, str) else digest_of(declared)
    if now == then:
        return []
    note = f"The criteria changed after training began: {short(then)} then, {short(now)} now."
    if not isinstance(declared, str):
        texts = [condition.text for condition in conditions]
        added = [text for text in texts if text not in declared]
        gone = [text for text in declared if text not in texts]
        note += f" Added: {'; '.join(added) or 'none'}. Removed: {'; '.join(gone) or 'none'}."
    return [note]


def _judge(condition: Condition, evidence: Evidence, notes: list[str]) -> RuleVerdict:
    if condition.window_s is not None:
        raise UnfitError(
            "`over` a period is not for gates: a release is judged by its evidence. "
            "Drop the period here, or write the rule as an alert."
        )
    if condition.name in FIXED_WORD:
        return _WORDS[condition.name](condition, evidence)
    if condition.name == "approvals":
        return _approvals(condition, evidence)
    if condition.worst_column is not None:
        return _worst(condition, evidence)
    if isinstance(condition.right, Reference):
        return _reference(condition, evidence, notes)
    return _plain(condition, evidence)


# What was measured.


def _evaluation(evidence: Evidence) -> Mapping[str, Any]:
    return open_body(
        evidence.evaluation,
        "evaluation",
        {"model": evidence.model, "snapshot": evidence.snapshot},
        "Run `fairway run`.",
    )


def _unit(name: str, evaluation: Mapping[str, Any]) -> str:
    if name != "payoff":
        return ""
    payoff = evaluation.get("payoff")
    unit = payoff.get("unit") if isinstance(payoff, Mapping) else None
    return f" {unit or ''} per 1,000 decisions".replace("  ", " ")


def _own(name: str, evaluation: Mapping[str, Any]) -> Measured:
    metrics = as_mapping(evaluation.get("metrics"), "evaluation")
    if name not in metrics:
        order = "Declare [payoff]" if name == "payoff" else f"Add {name} to [evaluate] metrics"
        raise UnfitError(f"it was not measured. {order} and run `fairway run`.")
    return as_measured(metrics[name], name, _unit(name, evaluation))


_FAILS = {
    ">=": "is below",
    ">": "is not above",
    "<=": "is above",
    "<": "is not below",
    "==": "is not",
}
_HOLDS = {">=": "is at least", ">": "is above", "<=": "is at most", "<": "is below", "==": "is"}
_ORDERS = {
    "payoff": "Compare the candidates' pay-off (`fairway candidates`) and release a better one.",
    "p99_ms": "Release a smaller or simpler candidate.",
    "size_bytes": "Release a smaller candidate.",
    "calibration_error": "Recalibrate the candidate or release another (`fairway candidates`).",
}
_ORDER = "Release a better candidate (`fairway candidates`) or improve its features."


def _stand(condition: Condition, measured: Measured, bound: float) -> str:
    """Say how a number stands to its bound, with digits enough to tell them apart."""
    holds = condition.holds(measured.value, bound)
    words = (_HOLDS if holds else _FAILS)[condition.operator]
    said, limit = str(measured), say(bound)
    if say(measured.value) == limit and measured.value != bound:
        said, limit = f"{measured.value!r} ({said})", repr(bound)
    if holds:
        return f"{said} {words} {limit}."
    return f"{said} {words} {limit}: {_ORDERS.get(condition.name, _ORDER)}"


def _plain(condition: Condition, evidence: Evidence) -> RuleVerdict:
    assert isinstance(condition.right, float)
    measured = _own(condition.name, _evaluation(evidence))
    passed = condition.holds(measured.value, condition.right)
    why = f"{condition.name} {_stand(condition, measured, condition.right)}"
    return _rule(condition, passed=passed, value=measured.value, why=why)


def _worst(condition: Condition, evidence: Evidence) -> RuleVerdict:
    assert isinstance(condition.right, float)
    evaluation, column, name = _evaluation(evidence), condition.worst_column or "", condition.name
    slices = as_mapping(evaluation.get("slices"), "evaluation")
    if column not in slices:
        raise UnfitError(
            f"no slices by {column} were measured. Add it to [evaluate] slices, run `fairway run`."
        )
    whole = _own(name, evaluation)
    is_least = condition.operator in {">=", ">"}
    judged: dict[str, tuple[float, Measured]] = {}
    n_small = 0
    for label, document in as_mapping(slices[column], f"slices by {column}").items():
        part = as_mapping(document, f"slice {label}")
        if not isinstance(part.get("judged"), bool):
            raise UnfitError(f"the evidence of slice {label} cannot be read: is it judged?")
        if not part["judged"]:
            n_small += 1
            continue
        metrics = as_mapping(part.get("metrics"), f"slice {label}")
        measured = as_measured(metrics.get(name, {}), f"{name} of {label}", whole.unit)
        end = measured.high if is_least else measured.low
        if end is None:
            raise UnfitError(f"{name} of {label} has no interval. Give more test rows.")
        judged[label] = end, measured
    if not judged:
        raise UnfitError(
            f"none of {n_small} slices by {column} has 200 rows and 20 of each class. "
            "Give more test rows or drop the rule."
        )
    pick = min if is_least else max
    label = pick(judged, key=lambda name: (judged[name][0], name))
    end, measured = judged[label]
    passed = condition.holds(end, condition.right)
    failing = [
        one for one, (edge, _) in judged.items() if not condition.holds(edge, condition.right)
    ]
    limit = f"{condition.operator} {say(condition.right)}"
    small = f" {n_small} smaller ones are shown, not judged." if n_small else ""
    what = f"{name} of {column} {label}, the worst of {len(judged)} slices, is {measured}"
    edge = f"the interval's {'upper' if is_least else 'lower'} end {say(end)}"
    if passed:
        why = f"{what}; {edge} meets {limit}.{small}"
    else:
        why = (
            f"{what}; even {edge} misses {limit} (so do {len(failing)} of {len(judged)}): "
            f"look at {', '.join(failing[:5])} in the evaluation and improve them.{small}"
        )
    return _rule(condition, passed=passed, value=end, why=why)


# Against a reference.


def _reference(condition: Condition, evidence: Evidence, notes: list[str]) -> RuleVerdict:
    evaluation = _evaluation(evidence)
    own = _own(condition.name, evaluation)
    reference = condition.right
    if reference is Reference.CHAMPION and evidence.champion is None:
        has_payoff = condition.name == "payoff"
        reference = Reference.FIXED if has_payoff else Reference.BASELINE
        means = "the best fixed action" if has_payoff else "the baseline"
        notes.append(f"There is no champion yet: for {condition.name}, champion means {means}.")
    if reference is Reference.FIXED:
        payoff = as_mapping(evaluation.get("payoff"), "payoff")
        gap = as_measured(payoff.get("over_fixed"), "payoff over fixed")
        fixed = evaluation.get("fixed")
        action = fixed.get("action") if isinstance(fixed, Mapping) else None
        against = f"the best fixed action ({action})" if action else "the best fixed action"
    else:
        gap, against = _gap(condition, evidence, own, is_champion=reference is Reference.CHAMPION)
    passed = condition.holds(gap.value, condition.offset)
    direction = "above" if gap.value >= 0 else "below"
    why = f"{condition.name} {own} is {gap.size} {direction} that of {against}"
    if passed:
        edge = gap.low if condition.operator in {">=", ">"} else gap.high
        doubt = edge is not None and not condition.holds(edge, condition.offset)
        why += ", as asked" + ("; the interval does not exclude the contrary." if doubt else ".")
    else:
        order = _ORDERS.get(condition.name, _ORDER)
        why += f", and {condition.operator} {_bound(condition)} is asked: {order}"
    return _rule(condition, passed=passed, value=own.value, why=why)


def _bound(condition: Condition) -> str:
    return condition.text.removeprefix(f"{condition.left} {condition.operator} ")


def _gap(
    condition: Condition, evidence: Evidence, own: Measured, *, is_champion: bool
) -> tuple[Measured, str]:
    """Find the paired difference to another model, and how to call that model."""
    name, who = condition.name, "champion" if is_champion else "baseline"
    statement = evidence.champion_comparison if is_champion else evidence.baseline_comparison
    what, against = f"comparison with the {who}", f"the {who}"
    subjects = {"model": evidence.model, "snapshot": evidence.snapshot}
    body = open_body(statement, what, subjects, "Run `fairway run`.")
    if is_champion and evidence.champion is not None:
        if body.get("against") != evidence.champion:
            raise UnfitError(
                f"the {what} is stale: it was made with {body.get('against')}, but "
                f"{evidence.champion} is the champion now. Run `fairway run`."
            )
        against += f" {short(evidence.champion)}"
    differences = as_mapping(body.get("differences"), what)
    if name in differences:
        return as_measured(differences[name], f"{name} in the {what}"), against
    others = body.get("metrics")
    if name in UNSLICED and isinstance(others, Mapping) and name in others:
        other = as_measured(others[name], f"{name} of {against}")
        return Measured(value=own.value - other.value, low=None, high=None), against
    raise UnfitError(f"the {what} does not tell it. Add it to [evaluate] metrics, run again.")


# Words and people.


def _leakage(condition: Condition, evidence: Evidence) -> RuleVerdict:
    subjects = {"snapshot": evidence.snapshot}
    body = open_body(evidence.leakage, "the leakage audit", subjects, "Run `fairway run`.")
    findings = body.get("findings")
    if not isinstance(findings, Sequence) or isinstance(findings, str):
        raise UnfitError("the evidence of the leakage audit cannot be read: it lists no findings.")
    open_columns: list[str] = []
    states = {"withheld": 0, "accepted": 0}
    for finding in findings:
        found = as_mapping(finding, "the leakage audit")
        state, column = found.get("state"), str(found.get("column"))
        is_named = bool(found.get("by")) and bool(found.get("reason"))
        if state == "withheld" or (state == "accepted" and is_named):
            states[state] += 1
        elif column not in open_columns:
            open_columns.append(column)
    if open_columns:
        why = (
            f"{', '.join(open_columns)} may leak the answer and is neither withheld nor accepted: "
            "leave it out of the dataset, or let a named person accept it with a reason."
        )
        return _rule(condition, passed=False, value=", ".join(open_columns), why=why)
    said = ", ".join(f"{count} {state}" for state, count in states.items() if count)
    why = f"No finding is open ({said or 'nothing was found'})."
    return _rule(condition, passed=True, value="none", why=why)


def _contract(condition: Condition, evidence: Evidence) -> RuleVerdict:
    subjects = {"snapshot": evidence.snapshot}
    body = open_body(evidence.contract, "the contract check", subjects, "Run `fairway run`.")
    passed = body.get("passed")
    if not isinstance(passed, bool):
        raise UnfitError("the evidence of the contract check cannot be read: did it pass?")
    reason = body.get("why") or "see `fairway check`"
    broken = f"The data breaks its contract ({reason}): mend the data or agree on a new contract."
    return _word(condition, passed=passed, kept="The data keeps its contract.", broken=broken)


def _tests(condition: Condition, evidence: Evidence) -> RuleVerdict:
    order = "Write [release] test and release again."
    body = open_body(evidence.tests, "the release's tests", {"release": evidence.release}, order)
    code = body.get("exit_code")
    if isinstance(code, bool) or not isinstance(code, int):
        raise UnfitError(f"the evidence of the tests cannot be read: exit code {code!r}.")
    ended = f"The release's tests ended with {code}"
    broken = f"{ended}: run the command of [release] test by hand and mend what fails."
    return _word(condition, passed=code == 0, kept=f"{ended}.", broken=broken)


def _word(condition: Condition, *, passed: bool, kept: str, broken: str) -> RuleVerdict:
    word = "passed" if passed else "failed"
    return _rule(condition, passed=passed, value=word, why=kept if passed else broken)


def _approvals(condition: Condition, evidence: Evidence) -> RuleVerdict:
    assert isinstance(condition.right, float)
    role = condition.argument or ""
    order = f"Have the release approved by {role}: `fairway approve RELEASE`."
    body = open_body(evidence.approvals, "approvals", {"release": evidence.release}, order)
    names = body.get(role, [])
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise UnfitError("the evidence of approvals cannot be read: names belong there.")
    people = sorted(set(names))
    passed = condition.holds(len(people), condition.right)
    said = f"{len(people)} of {role}" + (f" ({', '.join(people)})" if people else "")
    why = f"Approvals: {said}; {condition.operator} {say(condition.right)} is asked."
    why += "" if passed else f" {order}"
    return _rule(condition, passed=passed, value=len(people), why=why)


_WORDS = {"leakage": _leakage, "contract": _contract, "tests": _tests}

"""What verbs tell people: short, in 80 columns, and with what to do next."""

from collections.abc import Callable
from typing import Any

import pytest

from fairway.cli import audit, check, data, deploy, logs, release, run, verify

DIGEST = "sha256:" + "0123456789abcdef" * 4
WHY = "the value is 0.61 with an interval from 0.58 to 0.64, below what was asked for; " * 2
REFUSED = {
    "release": None,
    "verdict": {
        "pass": False,
        "rules": [
            {"rule": "auc >= 0.65", "pass": False, "value": 0.61, "why": WHY},
            {"rule": "leakage == none", "pass": True, "value": "none", "why": "nothing leaks"},
        ],
        "notes": ["There is no champion: the best fixed action stands for it."],
    },
}
PASSED = {
    "release": DIGEST,
    "path": "/h/r",
    "verdict": {"pass": True, "rules": [REFUSED["verdict"]["rules"][1]]},  # type: ignore[index]
}
METRIC = {"value": 0.68512, "low": 0.68, "high": 0.69}
CANDIDATES = [
    {
        "name": "lightgbm",
        "model": DIGEST,
        "state": "done",
        "cached": True,
        "threshold": 0.25,
        "metrics": dict.fromkeys(
            ["auc", "log_loss", "brier", "calibration_error", "information_gain", "payoff"], METRIC
        ),
    },
    {"name": "glm", "model": None, "state": "failed", "cached": False, "metrics": {}},
]
RUN = {
    "snapshot": DIGEST,
    "split": {"train": 217727, "validation": 55628, "test": 53991},
    "refused": [{"column": "dep_delay", "test": "predicts_too_well", "evidence": WHY}],
    "candidates": CANDIDATES,
    "best": "lightgbm",
    "seconds": 61.2,
}
SHOWN: list[tuple[Callable[[], None], list[str]]] = [
    (lambda: run._show(RUN), ["* ", "lightgbm", "0.6851", "cached", "fairway release"]),
    (lambda: run._show(RUN | {"best": None}), ["fairway logs NAME"]),
    (lambda: release._show(REFUSED, ["staging"]), ["NO", "0.61", "nothing was released", "Next"]),
    (lambda: release._show(PASSED, ["staging"]), ["fairway deploy 0123456789ab --env staging"]),
    (
        lambda: deploy._show(PASSED, "staging", ["staging", "production"]),
        ["staging now points to 0123456789ab", "--env production"],
    ),
    (lambda: deploy._show(PASSED, "production", ["production"]), ["fairway rollback"]),
    (lambda: deploy._show(REFUSED, "production", ["production"]), ["not moved", "fairway approve"]),
    (lambda: verify.show({"release": DIGEST, "ok": True, "differs": []}), ["is whole"]),
    (
        lambda: audit._show({"ok": False, "breaks": [{"seq": 7, "problem": "It was changed."}]}),
        ["Entry 7: It was changed.", "Restore"],
    ),
    (lambda: data._show_log({"snapshots": []}), ["fairway run"]),
    (
        lambda: logs._show({"steps": [{"name": "glm", "state": "failed", "text": "no R\n"}]}),
        ["glm", "failed", "no R"],
    ),
]


@pytest.mark.parametrize(("show", "told"), SHOWN)
def test_an_answer_is_told_in_80_columns_with_what_to_do_next(
    capsys: pytest.CaptureFixture[str], show: Callable[[], None], told: list[str]
) -> None:
    show()

    text = capsys.readouterr().out
    for part in told:
        assert part in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_difference_is_told_with_expected_and_found_in_full(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = {"file": "model/m.txt", "expected": DIGEST, "found": None, "expected_bytes": 5400}
    verify.show({"release": DIGEST, "ok": False, "differs": [row]})

    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["model/m.txt", f"  expected {DIGEST} (5,400 bytes)", "  found    nothing"]


@pytest.mark.parametrize(
    ("answer", "passes"), [(PASSED, True), (REFUSED, False), ({"release": DIGEST}, True)]
)
def test_a_verdict_that_fails_is_what_makes_the_exit_code(
    answer: dict[str, Any], passes: bool
) -> None:
    assert release.passed(answer) is passes


def test_a_run_in_which_a_candidate_failed_has_failed() -> None:
    done = CANDIDATES[0]
    trial = CANDIDATES[1] | {"trial": 3}

    assert run.has_failed(RUN)
    assert not run.has_failed(RUN | {"candidates": [done, trial]})
    assert not run.has_failed(RUN | {"candidates": [done, done | {"state": "skipped"}]})


def test_check_tells_what_was_taken_where_the_file_is_silent(
    capsys: pytest.CaptureFixture[str],
) -> None:
    default = {"key": "split.by", "value": "time", "why": "it is " + "long " * 30}
    check._show({"defaults": [default], "warnings": ["weather is 3 h old"]})

    text = capsys.readouterr().out
    assert "split.by = time" in text
    assert "Warning: weather is 3 h old" in text
    assert max(len(line) for line in text.splitlines()) <= 80

"""What the registry promises: every release once, found by any name that means only it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from fairway.delivery import registry
from fairway.digest import Digest
from fairway.errors import NotFoundError, RequestError
from fairway.store import journal
from fairway.store.home import Home, open_home

NOVEMBER = datetime(2026, 11, 24, tzinfo=UTC)
A, B, C = (Digest(f"sha256:{start:0<64}") for start in ("aaaa1", "aaaa2", "c0ffee"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with open_home(tmp_path / "home") as home:
        yield home


def write(
    home: Home,
    release: Digest,
    version: str,
    *,
    at: datetime = NOVEMBER,
    kind: str = "released",
    project: str = "late-arrivals",
) -> None:
    with home.db.transaction() as tx:
        journal.append(
            tx,
            project=project,
            actor="ann",
            effective_at=at,
            kind=kind,
            subjects=[release],
            body={"release": release, "name": "late-arrivals", "version": version},
        )


def meant(home: Home, text: str) -> Digest:
    return registry.resolve(home.db, project="late-arrivals", text=text).release


def test_releases_are_listed_once_in_the_order_in_which_they_became_known(home: Home) -> None:
    write(home, C, "2026.10.1", kind="received")
    write(home, A, "2026.11.1", at=NOVEMBER + timedelta(days=1))
    write(home, A, "2026.11.1", kind="received")
    write(home, B, "2026.11.1", project="other")

    listed = registry.releases(home.db, project="late-arrivals")

    assert [(one.release, one.title) for one in listed] == [
        (C, "late-arrivals@2026.10.1"),
        (A, "late-arrivals@2026.11.1"),
    ]
    assert [one.release for one in registry.releases(home.db, project="other")] == [B]
    early = registry.releases(home.db, project="late-arrivals", until=NOVEMBER)
    assert [one.release for one in early] == [C, A]


@pytest.mark.parametrize(
    "text",
    [
        C,
        C.removeprefix("sha256:"),
        "sha256:c0ff",
        "c0ffee",
        "C0FFEE",
        " c0ff ",
        "late-arrivals@2026.10.3",
        "2026.10.3",
    ],
)
def test_a_release_is_found_by_digest_digits_title_or_version(home: Home, text: str) -> None:
    write(home, A, "2026.11.1")
    write(home, C, "2026.10.3")

    assert meant(home, text) == C


def test_digits_that_begin_several_are_refused_by_their_number(home: Home) -> None:
    write(home, A, "2026.11.1")
    write(home, B, "2026.11.2")

    with pytest.raises(RequestError, match="means 2 releases: aaaa1"):
        meant(home, "aaaa")
    assert meant(home, "aaaa2") == B


def test_a_version_that_two_homes_gave_is_refused_until_digits_say_which(home: Home) -> None:
    write(home, A, "2026.11.1")
    write(home, C, "2026.11.1", kind="received")

    with pytest.raises(RequestError, match="means 2 releases"):
        meant(home, "late-arrivals@2026.11.1")
    assert meant(home, "c0ff") == C


@pytest.mark.parametrize("text", ["", "c0", "c0f", "beef", "other@2026.10.1", "sha256:", "%", "."])
def test_what_means_no_release_is_not_found_and_the_last_ones_are_named(
    home: Home, text: str
) -> None:
    write(home, C, "2026.10.1")

    with pytest.raises(NotFoundError) as refused:
        meant(home, text)
    assert "c0ffee" in refused.value.hint
    with pytest.raises(NotFoundError, match="fairway release"):
        registry.resolve(home.db, project="empty", text=text)


def test_versions_count_from_one_in_each_month_of_the_projects_clock(home: Home) -> None:
    def following(at: datetime) -> str:
        return registry.next_version(home.db, project="late-arrivals", effective_at=at)

    assert following(NOVEMBER) == "2026.11.1"
    write(home, A, "2026.11.1")
    write(home, B, "2026.11.10", kind="received")
    write(home, C, "nightly")
    assert following(NOVEMBER) == "2026.11.11"
    assert following(datetime(2026, 12, 1, tzinfo=UTC)) == "2026.12.1"
    assert following(datetime(2027, 11, 1, tzinfo=UTC)) == "2027.11.1"
    east = timezone(timedelta(hours=9))
    assert following(datetime(2026, 12, 1, 8, tzinfo=east)) == "2026.11.11"


def test_a_version_is_seen_within_the_transaction_that_writes_it(home: Home) -> None:
    with home.db.transaction() as tx:
        journal.append(
            tx,
            project="late-arrivals",
            actor="ann",
            effective_at=NOVEMBER,
            kind="released",
            subjects=[A],
            body={"release": A, "version": "2026.11.1"},
        )
        version = registry.next_version(tx, project="late-arrivals", effective_at=NOVEMBER)
        found = registry.resolve(tx, project="late-arrivals", text="late-arrivals@2026.11.1")

    assert version == "2026.11.2"
    assert found.release == A

"""Write statements into a home's journal, as the verbs of the line do."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fairway.digest import Digest
from fairway.store import journal
from fairway.store.home import Home
from fairway.store.journal import Entry

AT = datetime(2024, 8, 1, tzinfo=UTC)


class Scribe:
    """Writes statements about a project, as its verbs do."""

    def __init__(self, home: Home, project: str) -> None:
        self.home, self.project = home, project

    def say(
        self,
        kind: str,
        *subjects: Digest,
        body: Mapping[str, Any],
        at: datetime = AT,
        actor: str = "ann",
    ) -> Entry:
        with self.home.db.transaction() as tx:
            return journal.append(
                tx,
                project=self.project,
                actor=actor,
                effective_at=at,
                kind=kind,
                subjects=subjects,
                body=body,
            )

    def release(self, manifest: Mapping[str, Any], *, version: str, **body: Any) -> Digest:
        """Let a release with this manifest be known."""
        release = self.home.blobs.put_json(dict(manifest))
        told = {"release": release, "name": self.project, "version": version} | body
        self.say("released", release, body=told)
        return release

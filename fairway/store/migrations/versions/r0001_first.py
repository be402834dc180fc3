"""The first schema: evidence, pointers, and the logbook of runs.

Room: ``fairway.store``. Times are ISO 8601 texts in UTC with six decimals, digests are texts, and
JSON columns hold canonical JSON.
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # Evidence. AUTOINCREMENT keeps the highest number ever given, so that a cut tail shows.
    """
    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        recorded_at TEXT NOT NULL,
        effective_at TEXT NOT NULL,
        project TEXT NOT NULL,
        actor TEXT NOT NULL,
        kind TEXT NOT NULL,
        subjects TEXT NOT NULL,
        body TEXT NOT NULL,
        previous TEXT NOT NULL,
        digest TEXT NOT NULL UNIQUE
    )
    """,
    "CREATE INDEX journal_by_kind ON journal (project, kind, seq)",
    """
    CREATE TABLE journal_subject (
        digest TEXT NOT NULL,
        seq INTEGER NOT NULL REFERENCES journal (seq),
        PRIMARY KEY (digest, seq)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX journal_subject_by_seq ON journal_subject (seq)",
    # What is so now, with its history.
    """
    CREATE TABLE pointer (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL,
        name TEXT NOT NULL,
        target TEXT NOT NULL,
        actor TEXT NOT NULL,
        effective_at TEXT NOT NULL,
        recorded_at TEXT NOT NULL,
        entry INTEGER NOT NULL REFERENCES journal (seq)
    )
    """,
    "CREATE INDEX pointer_by_name ON pointer (project, name, effective_at, seq)",
    """
    CREATE TRIGGER pointer_is_not_changed BEFORE UPDATE ON pointer
    BEGIN SELECT RAISE(ABORT, 'The history of a pointer is never changed'); END
    """,
    """
    CREATE TRIGGER pointer_is_not_deleted BEFORE DELETE ON pointer
    BEGIN SELECT RAISE(ABORT, 'The history of a pointer is never deleted'); END
    """,
    """
    CREATE TRIGGER pointer_is_not_replaced BEFORE INSERT ON pointer
    WHEN EXISTS (SELECT 1 FROM pointer WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'The history of a pointer is never replaced'); END
    """,
    """
    CREATE TRIGGER pointer_needs_a_verdict BEFORE INSERT ON pointer
    WHEN NOT EXISTS (
        SELECT 1 FROM journal
        WHERE seq = NEW.entry AND project = NEW.project
            AND kind IN ('deployed', 'rolled_back', 'received')
    )
    BEGIN SELECT RAISE(ABORT, 'A pointer moves only with a journal entry that says why'); END
    """,
    # The logbook of runs.
    """
    CREATE TABLE run (
        id TEXT PRIMARY KEY,
        project TEXT NOT NULL,
        state TEXT NOT NULL CHECK (
            state IN ('running', 'done', 'failed', 'refused', 'interrupted')
        ),
        started_at TEXT NOT NULL,
        effective_at TEXT NOT NULL,
        actor TEXT NOT NULL,
        body TEXT NOT NULL
    )
    """,
    "CREATE INDEX run_by_project ON run (project, started_at)",
    """
    CREATE TABLE candidate (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL REFERENCES run (id),
        project TEXT NOT NULL,
        name TEXT NOT NULL,
        trial INTEGER,
        model TEXT,
        state TEXT NOT NULL,
        cached INTEGER NOT NULL,
        threshold REAL,
        parameters TEXT NOT NULL,
        body TEXT NOT NULL,
        recorded_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX candidate_by_project ON candidate (project, run_id, seq)",
    "CREATE INDEX candidate_by_run ON candidate (run_id, seq)",
    """
    CREATE TABLE candidate_metric (
        candidate INTEGER NOT NULL REFERENCES candidate (seq),
        name TEXT NOT NULL,
        value REAL NOT NULL,
        low REAL,
        high REAL,
        PRIMARY KEY (candidate, name)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX candidate_metric_by_value ON candidate_metric (name, value)",
    # What steps made, by key, and what happened to each step of each run.
    """
    CREATE TABLE step_result (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        project TEXT NOT NULL,
        output TEXT NOT NULL,
        reads TEXT NOT NULL,
        log TEXT NOT NULL,
        seconds REAL NOT NULL,
        cpu_s REAL NOT NULL,
        recorded_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX step_result_by_key ON step_result (key)",
    """
    CREATE TABLE step_run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        run_id TEXT NOT NULL,
        name TEXT NOT NULL,
        state TEXT NOT NULL,
        cached INTEGER NOT NULL,
        why TEXT NOT NULL,
        log TEXT,
        output TEXT,
        seconds REAL NOT NULL,
        cpu_s REAL NOT NULL,
        exit_code INTEGER,
        recorded_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX step_run_by_run ON step_run (run_id, id)",
)


def upgrade() -> None:
    """Make every table."""
    for statement in STATEMENTS:
        op.execute(statement)

"""A release: everything that one version is, as one immutable folder named by digest.

Room: ``fairway.delivery``, after ``attestation``, which signs it; ``model.bundle`` reads and
verifies the folder. What goes in, and whether it may be released, is decided by the caller.

The folder holds the parts under their paths; ``release.json``, canonical, with the digest and size
of each part; and ``attestations/``: ``release.dsse.json`` (all files are its subjects),
``verdict.dsse.json`` and ``public.pem``. The digest of ``release.json`` is the release's name, so
equal parts are the same release, whoever signs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairway import digest as naming
from fairway.delivery import attestation
from fairway.digest import Digest
from fairway.errors import RequestError
from fairway.store.home import Home
from fairway.store.tree import TreeEntry, write_tree

FORMAT = 1
SHELF = "releases"
MANIFEST = "release.json"
_OWN = frozenset({"format", "name", "version", "files"})


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release as it was assembled.

    Attributes:
        digest: Its name: the digest of its ``release.json``.
        tree: The whole folder with its signatures, as a tree of the home.
        name: The name that it shares with its other versions.
        version: ``YEAR.MONTH.N``.
        manifest: What ``release.json`` says.
    """

    digest: Digest
    tree: Digest
    name: str
    version: str
    manifest: Mapping[str, Any]


def assemble(
    home: Home,
    *,
    name: str,
    version: str,
    files: Mapping[str, Digest | bytes],
    trees: Mapping[str, Digest],
    about: Mapping[str, Any],
    verdict: Mapping[str, Any] | None,
) -> Release:
    """Put a release together and sign it; nothing is visible before it is published.

    The law: equal arguments but ``verdict`` give the same digest; nothing else goes into it.

    Args:
        home: The home, whose key signs.
        name: The name that it shares with its other versions, as the project's.
        version: ``YEAR.MONTH.N``, see ``registry.next_version``.
        files: Content by path: a blob of the home, or bytes.
        trees: Trees of the home by the path of their folder.
        about: More keys of ``release.json``, as JSON: model, commit, owner, threshold ...
        verdict: What the gate said, signed beside the release; None where no gate judged.

    Raises:
        IntegrityError: If a blob or the key is damaged.
        NotFoundError: If a blob is not there.
        RequestError: If a path is unfit or given twice, or ``about`` is no JSON or uses a key of
            the format's own.
        StoreError: If the home cannot be written.
    """
    if taken := sorted(_OWN & set(about)):
        raise RequestError(f"{taken[0]!r} is the format's own key.", hint="Name it differently.")
    entries = _entries(home, files, trees)
    manifest = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "files": {
            path: {"digest": entry.digest, "bytes": entry.n_bytes}
            for path, entry in entries.items()
        },
        **about,
    }
    digest = home.blobs.put_json(manifest)
    entries[MANIFEST] = TreeEntry(digest=digest, n_bytes=home.blobs.n_bytes(digest))
    key = attestation.signing_key(home)
    signed = {
        "release.dsse.json": attestation.statement(
            {path: entry.digest for path, entry in entries.items()},
            predicate_type=attestation.RELEASE,
            predicate={"name": name, "version": version},
        )
    }
    if verdict is not None:
        signed["verdict.dsse.json"] = attestation.statement(
            {MANIFEST: digest}, predicate_type=attestation.VERDICT, predicate=verdict
        )
    for path, said in signed.items():
        envelope = naming.canonical(attestation.sign(said, key)) + b"\n"
        entries[f"attestations/{path}"] = _kept(home, envelope)
    entries["attestations/public.pem"] = _kept(home, attestation.public_key(key))
    tree = home.blobs.put_bytes(write_tree(entries))
    return Release(digest=digest, tree=tree, name=name, version=version, manifest=manifest)


def publish(home: Home, release: Release) -> Path:
    """Make the release's folder appear, whole and read-only; again changes nothing.

    Returns:
        ``releases/<64 hexadecimal digits of the release's digest>`` in the home.

    Raises:
        IntegrityError: If a blob is damaged.
        StoreError: If the home cannot be written.
    """
    return home.publish(release.tree, shelf=SHELF, name=release.digest)


def folder(home: Home, release: Digest) -> Path:
    """Where a release's folder lies once it is published."""
    return home.root / SHELF / naming.parse(release).removeprefix(naming.PREFIX)


def _entries(
    home: Home, files: Mapping[str, Digest | bytes], trees: Mapping[str, Digest]
) -> dict[str, TreeEntry]:
    """All parts by their path in the folder, sorted.

    Raises:
        RequestError: If a path is unfit, or given twice.
    """
    found: dict[str, TreeEntry] = {}
    for path, content in files.items():
        if isinstance(content, bytes):
            found[path] = _kept(home, content)
        else:
            found[path] = TreeEntry(digest=content, n_bytes=home.blobs.n_bytes(content))
    for place, tree in trees.items():
        for path, entry in home.blobs.entries(tree).items():
            whole = f"{place.rstrip('/')}/{path}"
            if whole in found:
                raise RequestError(f"{whole} is given twice.", hint="Leave one of the two out.")
            found[whole] = entry
    for path in found:
        if path == MANIFEST or path.split("/")[0] == "attestations":
            raise RequestError(f"{path} is the format's own.", hint="Name the part differently.")
    write_tree(found)  # refuses names that lead outside
    return dict(sorted(found.items()))


def _kept(home: Home, content: bytes) -> TreeEntry:
    return TreeEntry(digest=home.blobs.put_bytes(content), n_bytes=len(content))

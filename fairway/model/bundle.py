"""Read a release's folder, verify it byte by byte, and predict with it.

Room: ``fairway.model``, the last of it; ``delivery.release`` writes the folder. Needed is the
folder alone: no home, no project, no engine of rows.

``release.json`` lists each file with digest and size; the digest of its bytes names the release.
``attestations/`` holds signatures over it and is therefore not listed. To predict one needs
``model/``, ``repair.json``, ``signature.json``, and of ``release.json`` the key ``threshold``
(number or null). Where the model is a program, the key ``predict`` (``{"command", "timeout_s"}``)
says how it is started, in ``code/``, which has the files that it reads.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from fairway import digest as naming
from fairway.digest import Digest
from fairway.errors import IntegrityError, RequestError, StoreError
from fairway.model import signature as signing
from fairway.model.signature import Signature

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from fairway.model.runtime import Predictor

FORMAT = 1
MANIFEST = "release.json"
REPAIRS = "repair.json"
SIGNATURE = "signature.json"
SEALS = ("attestations/release.dsse.json", "attestations/verdict.dsse.json")
UNLISTED = frozenset({MANIFEST, *SEALS, "attestations/public.pem"})
AGAIN = "Do not use it; fetch the release again."


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where a folder is not what its release promises.

    Attributes:
        file: Path within the folder, with ``/``.
        problem: ``changed``, ``missing``, ``extra``, or what is wrong with a signature.
        expected, found: Digests; None where there is none.
        expected_bytes, found_bytes: Sizes; None where unknown.
    """

    file: str
    problem: str
    expected: Digest | None = None
    found: Digest | None = None
    expected_bytes: int | None = None
    found_bytes: int | None = None

    def __str__(self) -> str:
        return (
            f"{self.file} {self.problem}: expected {self.expected} ({self.expected_bytes} bytes), "
            f"found {self.found} ({self.found_bytes} bytes)"
        )


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What is needed to predict with a release.

    Attributes:
        folder: Where it lies.
        digest: Its name.
        manifest: All of ``release.json``.
        signature: What it takes and gives.
        repairs: What ``model.repair.apply`` does to raw rows.
        threshold: From which score on to act; None where nothing is decided.
        predict: The command of a model that is a program, with ``{model}``; else None.
        timeout_s: Seconds that the program may take for a batch.
    """

    folder: Path
    digest: Digest
    manifest: Mapping[str, Any]
    signature: Signature
    repairs: Sequence[Mapping[str, Any]]
    threshold: float | None
    predict: str | None
    timeout_s: float

    @property
    def model(self) -> Path:
        """The model's folder; ``model.form.classify`` tells its form."""
        return self.folder / "model"


def read(folder: Path) -> Bundle:
    """Read what is needed to predict; the files read here are verified, ``verify`` does all.

    Raises:
        RequestError: If there is no release, or one of a newer format.
        IntegrityError: If a file is damaged.
    """
    data = _bytes(folder / MANIFEST)
    if data is None:
        raise RequestError(f"{folder} holds no {MANIFEST}.", hint="Name a release's folder.")
    manifest = _manifest(data)
    if manifest is None:
        raise IntegrityError(f"{folder / MANIFEST} is no release.", hint=AGAIN)
    if manifest["format"] != FORMAT:
        raise RequestError(
            f"The release has the format {manifest['format']}; this Fairway reads {FORMAT}.",
            hint="Upgrade Fairway.",
        )
    found = _compare(folder, manifest, only=(REPAIRS, SIGNATURE))
    missing = {REPAIRS, SIGNATURE} - set(manifest["files"])
    if found or missing:
        what = str(found[0]) if found else f"{min(missing)} is not listed"
        raise IntegrityError(f"The release is damaged: {what}.", hint=AGAIN)
    predict = manifest.get("predict") or {}
    try:
        signature = signing.from_json(json.loads((folder / SIGNATURE).read_bytes()))
        repairs = json.loads((folder / REPAIRS).read_bytes())
    except ValueError as error:
        raise IntegrityError(f"The release was made badly: {error}.", hint=AGAIN) from error
    return Bundle(
        folder=folder,
        digest=naming.of_bytes(data),
        manifest=manifest,
        signature=signature,
        repairs=repairs,
        threshold=manifest.get("threshold"),
        predict=predict.get("command"),
        timeout_s=float(predict.get("timeout_s", 60)),
    )


def verify(
    folder: Path, expected: Digest | None = None, public_key: bytes | None = None
) -> list[Difference]:
    """Compare every byte of a release with its promise; an empty list: nothing differs.

    Args:
        folder: The release's folder.
        expected: The release's name, from elsewhere; without it ``release.json`` is believed.
        public_key: PEM of the key that must have signed it; without it no signature is checked.
            Take it from elsewhere too: a key from the folder proves nothing.

    Returns:
        Changed, missing and extra files in the order of their names, then faulty signatures.

    Raises:
        StoreError: If a file cannot be read.
    """
    data = _bytes(folder / MANIFEST)
    if data is None:
        return [Difference(file=MANIFEST, problem="missing", expected=expected)]
    found = naming.of_bytes(data)
    manifest = _manifest(data)
    if manifest is None or (expected is not None and found != expected):
        first = Difference(
            file=MANIFEST,
            problem="changed",
            expected=expected,
            found=found,
            found_bytes=len(data),
        )
        rest = _compare(folder, manifest) if manifest else []
        return [first, *rest]
    differences = _compare(folder, manifest)
    if public_key is not None:
        differences += _unsealed(folder, found, public_key)
    return differences


def predictor(bundle: Bundle, *, environment: Mapping[str, str] | None = None) -> "Raw":
    """Load a release's model and put its repairs before it; raw rows go in, scores come out.

    Args:
        bundle: What ``read`` gave.
        environment: All variables that a program sees; None: those of this process.

    Raises:
        IntegrityError: If a file of ``model/`` or ``code/`` differs from what was released.
        StepError: If the model cannot be loaded or its program cannot be started.
    """
    from fairway.model import process, runtime

    differences = _compare(bundle.folder, bundle.manifest, only=("model/", "code/"))
    if differences:
        raise IntegrityError(f"The release is damaged: {differences[0]}.", hint=AGAIN)
    signature = bundle.signature
    model: Predictor
    if bundle.predict is None:
        model = runtime.load(bundle.model, features=signature.features, task=signature.task)
    else:
        code = bundle.folder / "code"
        model = process.start(
            bundle.predict,
            model=bundle.model,
            columns=signature.features,
            cwd=code if code.is_dir() else bundle.folder,
            environment=environment,
            timeout_s=bundle.timeout_s,
            task=signature.task,
        )
    return Raw(bundle.repairs, model)


class Raw:
    """Repairs and model in one: scores raw rows as training saw them."""

    def __init__(self, repairs: Sequence[Mapping[str, Any]], model: "Predictor") -> None:
        self._repairs = repairs
        self._model = model

    def predict(self, table: "pa.Table") -> "np.ndarray":
        """Score raw rows: (n rows, at least the signature's inputs) -> (n,) float64.

        Raises:
            RequestError: If a column is absent or holds what its type cannot.
            StepError: If the model fails or answers what is no score.
        """
        from fairway.model import repair

        return self._model.predict(repair.apply(self._repairs, table))

    def close(self) -> None:
        """Let go of the model; a program is ended."""
        self._model.close()


def _manifest(data: bytes) -> dict[str, Any] | None:
    """Read ``release.json``; None if it is none, or names a file outside the folder."""
    try:
        manifest = json.loads(data)
        files = {PurePosixPath(path): entry["digest"] for path, entry in manifest["files"].items()}
        if not isinstance(manifest["format"], int):
            return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    is_inside = all(not path.is_absolute() and ".." not in path.parts for path in files)
    return manifest if is_inside else None


def _compare(
    folder: Path, manifest: Mapping[str, Any], *, only: tuple[str, ...] = ("",)
) -> list[Difference]:
    """Files that differ among those whose path starts with one of ``only``."""
    promised = {path: e for path, e in manifest["files"].items() if path.startswith(only)}
    there = {path for path in _files(folder) if path.startswith(only)}
    differences = []
    for path in sorted(promised.keys() | there):
        entry = promised.get(path)
        found, n_bytes = _name(folder / path) if path in there else (None, None)
        if entry is None:
            problem = "extra"
        elif found is None:
            problem = "missing"
        elif found != entry["digest"]:
            problem = "changed"
        else:
            continue
        differences.append(
            Difference(
                file=path,
                problem=problem,
                expected=entry["digest"] if entry else None,
                found=found,
                expected_bytes=entry.get("bytes") if entry else None,
                found_bytes=n_bytes,
            )
        )
    return differences


def _files(folder: Path) -> list[str]:
    """All files and links of the folder but the manifest and the signatures."""
    found: list[str] = []
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        paths = [(Path(root) / name).relative_to(folder) for name in [*names, *links]]
        found += [path.as_posix() for path in paths]
    return [path for path in found if path not in UNLISTED]


def _name(path: Path) -> tuple[Digest, int]:
    """Digest and size of a file; of a link those of where it points, so that it differs."""
    try:
        if path.is_symlink():
            target = os.fsencode(path.readlink())
            return naming.of_bytes(b"link to " + target), len(target)
        return naming.of_file(path), path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, error) from error


def _unsealed(folder: Path, release: Digest, public_key: bytes) -> list[Difference]:
    """Signatures that are absent, by another key, or over another release."""
    from fairway.model import seal

    differences = []
    for file in SEALS:
        envelope = _bytes(folder / file)
        if envelope is None:
            if file == SEALS[0]:  # a verdict is there only where a gate has judged
                differences.append(Difference(file=file, problem="missing", expected=release))
            continue
        subjects, fault = seal.check(envelope, public_key)
        signed = subjects.get(MANIFEST)
        if fault or signed != release:
            problem = fault or "it signs another release"
            differences.append(
                Difference(file=file, problem=problem, expected=release, found=signed)
            )
    return differences


def _unreadable(path: Path, error: OSError) -> StoreError:
    return StoreError(f"{path} cannot be read: {error.strerror}.", hint="Check its permissions.")

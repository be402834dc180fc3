"""The application and the model of one release understand each other."""

import json
import os
import sys
from pathlib import Path

RELEASE = Path(os.environ["FAIRWAY_RELEASE"])
sys.path.insert(0, str(RELEASE / "app"))

from advice import REQUEST_FIELDS, advise  # noqa: E402  the release's own copy


def test_the_model_takes_every_field_that_the_application_sends() -> None:
    signature = json.loads((RELEASE / "signature.json").read_text())

    assert set(REQUEST_FIELDS) <= {field["name"] for field in signature["inputs"]}


def test_the_release_advises_cover_at_its_own_threshold() -> None:
    threshold = json.loads((RELEASE / "release.json").read_text())["threshold"]

    assert advise(threshold, threshold).startswith("Take the cover")
    assert advise(threshold - 0.01, threshold) == "No cover needed."

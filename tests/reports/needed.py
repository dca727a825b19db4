"""Programs that some tests need: without one a test skips and says so, in continuous integration it fails."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(what: str) -> NoReturn:
    if os.environ.get("RESEARCH_CI") == "1":
        pytest.fail(f"{what}, although RESEARCH_CI=1 says that it was installed.")
    pytest.skip(f"{what}. `.ci/run` installs it.")

"""Commit-ready results of a study: python scripts/publish.py runs/quickstart results/quickstart"""

import sys
from pathlib import Path

from research.reports.publish import publish

publish(Path(sys.argv[1]), Path(sys.argv[2]))

"""All example handlers in one module: `slotd serve examples/handlers.py`. Each topic is a file of its own beside it."""

import sys
from pathlib import Path

# Loaded by its path, a module finds its neighbours but not the package that they make up together.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from examples.archives import compress
from examples.basics import flaky, noop, sleep
from examples.files import checksum, word_count
from examples.images import thumbnail
from examples.network import fetch, probe
from examples.reports import report

__all__ = ["checksum", "compress", "fetch", "flaky", "noop", "probe", "report", "sleep", "thumbnail", "word_count"]

"""trml: sentiment from text and video when one of the two is missing."""

import os

__version__ = "0.1.0"

# MKL otherwise picks its kernel by how a matrix happens to lie in memory, so that a cell's bits would depend on its
# place in the stack. Read by MKL at its first call; it cost no time in our measurements.
os.environ.setdefault("MKL_CBWR", "AUTO")

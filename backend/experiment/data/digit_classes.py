"""The classes of data sets of digits."""

from stnscope.backend.experiment.catalog.datasets import NO_DIGIT

DIGITS = tuple("0123456789")
SUMS = tuple(str(total) for total in range(19))
NUMERALS = (*DIGITS, NO_DIGIT)
"""Ten digits, and no digit."""

"""Networks and families as literal tables that can be read without torch."""

from stnscope.models.catalog.families import FAMILIES, FamilyEntry
from stnscope.models.catalog.networks import ARCHITECTURES, Architecture

__all__ = ["ARCHITECTURES", "FAMILIES", "Architecture", "FamilyEntry"]

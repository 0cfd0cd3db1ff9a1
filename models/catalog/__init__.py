"""What exists, as literal tables that can be read without torch."""

from models.catalog.families import FAMILIES, Family
from models.catalog.networks import ARCHITECTURES, Architecture

__all__ = ["ARCHITECTURES", "FAMILIES", "Architecture", "Family"]

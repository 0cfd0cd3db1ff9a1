"""Random generators that depend on a run's seed, a purpose and a number, and on nothing else."""

import hashlib

from torch import Generator


def make_generator(seed: int, purpose: str, number: int) -> Generator:
    """Return a generator seeded by these three values, the same on every platform."""
    return Generator().manual_seed(hash_seed(seed, purpose, number))


def hash_seed(seed: int, purpose: str, number: int) -> int:
    """Return a seed that depends on these three values, the same on every platform."""
    digest = hashlib.blake2b(f"{purpose} {seed} {number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1

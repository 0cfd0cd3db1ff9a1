"""Factors of the learning rates of optimisers, applied within their steps only."""

from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any
from weakref import WeakKeyDictionary

from torch import nn
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from stnscope.backend.experiment.limits import MAX_NAME_LENGTH, MAX_RATE_FACTORS
from stnscope.backend.experiment.recording.schema import is_scalar_name

ALL = "all weights"
"""The name of what is one parameter group, or of all where there are too many."""
COMPILED = "_orig_mod."
"""What `torch.compile` puts before the names of weights."""


class RateFactors:
    """What the learning rates of optimisers are multiplied by, by the name of a parameter group.

    A rate is multiplied before each step of its optimiser and restored after it: a schedule never
    meets what was multiplied. Nothing is touched while the factor is 1.

    Args:
        model: names the groups, by the modules that they are the weights of.
    """

    def __init__(self, model: nn.Module) -> None:
        self._names = {
            id(weight): name.replace(COMPILED, "") for name, weight in model.named_parameters()
        }
        # Weak: a loop that makes a new optimiser in each phase must not keep the states of all.
        self._group_names: WeakKeyDictionary[Optimizer, list[str]] = WeakKeyDictionary()
        self._hooks: WeakKeyDictionary[Optimizer, list[RemovableHandle]] = WeakKeyDictionary()
        self._originals: dict[int, list[tuple[dict[str, Any], Any]]] = {}
        """Groups and their rates, by optimiser: one may step in another thread, or within one."""
        self.values: dict[str, float] = {}

    def add(self, optimisers: Iterable[Optimizer]) -> bool:
        """Add optimisers; return whether the names of all groups have changed.

        Raises:
            TypeError: one is not an optimiser of torch.
        """
        taken = [_unwrap(optimiser) for optimiser in optimisers]
        if all(len(self._group_names.get(o, ())) == len(o.param_groups) for o in taken):
            return False
        for optimiser in taken:
            self._group_names.setdefault(optimiser, [])
            if optimiser not in self._hooks:
                self._hooks[optimiser] = [
                    optimiser.register_step_pre_hook(self._multiply),
                    optimiser.register_step_post_hook(self._restore),
                ]
        before = list(self.values)
        self._name_groups()
        return list(self.values) != before

    def change(self, factors: Mapping[str, float]) -> dict[str, float]:
        """Change factors by the names of groups; return those that exist, ignore others."""
        known = {name: factor for name, factor in factors.items() if name in self.values}
        self.values |= known
        return known

    def remove(self) -> None:
        """Leave the optimisers as they were."""
        for hooks in self._hooks.values():
            for hook in hooks:
                hook.remove()
        self._hooks.clear()
        self._group_names.clear()

    def _name_groups(self) -> None:
        optimisers = list(self._group_names)
        groups = [group for optimiser in optimisers for group in optimiser.param_groups]
        names = [self._name_of(group, index) for index, group in enumerate(groups)]
        if len(groups) == 1 or len(set(names)) > MAX_RATE_FACTORS:
            names = [ALL] * len(groups)
        rest = iter(names)
        for optimiser in optimisers:
            self._group_names[optimiser] = [next(rest) for _ in optimiser.param_groups]
        self.values = {name: self.values.get(name, 1.0) for name in names}

    def _name_of(self, group: Mapping[str, Any], index: int) -> str:
        """Return the name that a group has, or the module that all its weights are in."""
        given = group.get("name")
        if isinstance(given, str) and is_scalar_name(given):
            return given
        paths = [self._names.get(id(weight), "").split(".")[:-1] for weight in group["params"]]
        levels = takewhile(lambda level: len({*level}) == 1, zip(*paths, strict=False))
        return ".".join(level[0] for level in levels)[:MAX_NAME_LENGTH] or f"group {index}"

    def _multiply(self, optimiser: Optimizer, *_: object) -> None:
        self._restore(optimiser)  # a step that raised an exception had no end
        # A group that was added since the last pause point has no name yet.
        names = self._group_names.get(optimiser, ())
        for name, group in zip(names, optimiser.param_groups, strict=False):
            if self.values[name] != 1:
                self._originals.setdefault(id(optimiser), []).append((group, group["lr"]))
                group["lr"] = group["lr"] * self.values[name]

    def _restore(self, optimiser: Optimizer, *_: object) -> None:
        for group, rate in self._originals.pop(id(optimiser), ()):
            group["lr"] = rate


def _unwrap(optimiser: Any) -> Optimizer:
    """Return the optimiser of torch in one of Accelerate or Lightning.

    Raises:
        TypeError: there is none.
    """
    inner = getattr(optimiser, "optimizer", None)
    if isinstance(inner, Optimizer):
        return _unwrap(inner)
    if isinstance(optimiser, Optimizer):
        return optimiser
    raise TypeError(
        f"A pause point takes optimisers of torch.optim, not {type(optimiser).__name__}."
    )

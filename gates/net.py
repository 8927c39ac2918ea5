"""The small network that judges a swap by its features. Pure."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gates.grams import Real


@dataclass(frozen=True)
class Net:
    """Two hidden layers; features are centred and scaled first."""

    mean: Real
    scale: Real
    layers: tuple[tuple[Real, Real], ...]

    @classmethod
    def read(cls, model: Any) -> "Net":
        layers = tuple((model[f"weights{k}"], model[f"bias{k}"]) for k in range(3))
        return cls(model["mean"], model["scale"], layers)

    def certainty(self, features: Real) -> Real:
        """Between 0 and 1: how sure it is that the swap is right."""
        value = (features - self.mean) / self.scale
        for weights, bias in self.layers[:-1]:
            value = np.maximum(value @ weights + bias, 0)
        weights, bias = self.layers[-1]
        out = 1 / (1 + np.exp(-(value @ weights + bias)[:, 0]))
        return out.astype(np.float32)

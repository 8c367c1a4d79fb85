"""Choices among variants of the methods of this package, importable without Keras."""

from typing import Literal

Criterion = Literal["bic", "aic"]
"""Bayesian (Schwarz 1978) or Akaike (1974) information criterion."""

Folding = Literal["sum", "largest"]
"""How probabilities of sub-classes become those of classes, see `subclass_head.folded`."""

Mining = Literal["batch-hard", "batch-all", "semi-hard"]
"""How triplets are chosen, see `triplet_loss.triplet_loss`."""

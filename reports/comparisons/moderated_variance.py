"""Variances with few degrees of freedom, moderated by those of many similar comparisons.

Three runs estimate the variance of a difference with two degrees of freedom, with which hardly any difference among a
dozen methods is significant after Holm's correction. The variances of all pairs of methods together show how much they
vary. A variance that is small by chance is raised accordingly, towards the common value.

A large one is not lowered: a method that trains more variably than the others has a large variance of its own, and
differences from it would be found far too often. Lowering them, too, would detect more differences if all methods train
equally variably; `tox -e bench-statistics` shows false alarms and power. Other priors make little difference (the
arithmetic mean of variances that vary only by chance, as in the R package limma since 2017, or a prior that is robust
against outliers: Phipson et al. 2016, doi 10.1214/16-AOAS920): two degrees of freedom do not show which variances are
outliers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST_VARIANCES = 3  # with fewer, nothing is known about how they vary


def moderated_variances(
    variances: NDArray[np.float64], df: int, n_independent: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return variances and their degrees of freedom, of which those below their posterior are raised to it.

    Args:
        variances: float64 of shape (n_variances,), each with `df` degrees of freedom.
        df: degrees of freedom of each.
        n_independent: number of independent ones among the variances.

    Returns:
        Variances and their degrees of freedom, both float64 of shape (n_variances,). A variance above its posterior
        keeps its own of both.

    """
    posterior, posterior_df = posterior_variances(variances, df, n_independent)
    raised = variances < posterior
    return np.where(raised, posterior, variances), np.where(raised, posterior_df, float(df))


def posterior_variances(
    variances: NDArray[np.float64], df: int, n_independent: int
) -> tuple[NDArray[np.float64], float]:
    """Return posterior variances, moved towards the others in both directions, by empirical Bayes.

    (d₀ s₀² + d s²) / (d₀ + d) with d₀ + d degrees of freedom, where s₀² and d₀ of the prior are fitted to the mean and
    variance of log s² (Smyth 2004, Linear models and empirical Bayes methods, doi 10.2202/1544-6115.1027, sections 3
    and 6.2). Variances of zero do not enter the fit. The prior is estimated from the same variances, so that none has
    more degrees of freedom than all together (as in the function eBayes of limma).

    Args:
        variances: as in `moderated_variances`.
        df: likewise.
        n_independent: likewise.

    Returns:
        float64 of shape (n_variances,), and the degrees of freedom of each. With fewer than three positive variances,
        they are unchanged.

    """
    from scipy.special import digamma, polygamma

    positive = variances[variances > 0]
    if len(positive) < FEWEST_VARIANCES:
        return variances, float(df)
    logs = np.log(positive) - digamma(df / 2) + np.log(df / 2)
    excess = logs.var(ddof=1) - polygamma(1, df / 2)
    if excess <= 0:
        return np.full_like(variances, np.exp(logs.mean())), float(n_independent * df)
    prior_df = 2 * _trigamma_inverse(float(excess))
    prior = np.exp(logs.mean() + digamma(prior_df / 2) - np.log(prior_df / 2))
    return (prior_df * prior + df * variances) / (prior_df + df), min(prior_df + df, float(n_independent * df))


def _trigamma_inverse(value: float) -> float:
    """Return the argument at which the trigamma function has a value above 0."""
    from scipy.optimize import brentq
    from scipy.special import polygamma

    def excess(log_argument: float) -> float:
        return float(np.log(polygamma(1, np.exp(log_argument))) - np.log(value))

    return float(np.exp(brentq(excess, -30.0, 30.0)))

"""The detector's loss with hard negative mining.

Positives: label > 0.5; negatives: label < -0.5, of which training keeps the 2 x batch largest logits. With BCE the
binary cross entropy of the sigmoid, the loss is the sum of the terms in `NAMES`:
half the mean BCE over positives, half the mean BCE over kept negatives, and per component the mean smooth L1
(beta 1) over positives.
"""

import torch
import torch.nn.functional as F

NAMES = ["positive_classification", "negative_classification",
         "regression_z", "regression_y", "regression_x", "regression_d"]


def terms(output, labels, mine=True):
    """The loss's terms as NAMES orders them (their sum is the loss) of a batch that one replica holds, and the gap
    between the lowest kept and the highest dropped negative logit: a small gap means that rounding decides what is
    mined."""
    rows, truth = output.reshape(-1, output.shape[-1]), labels.reshape(-1, labels.shape[-1])
    positive, negative = truth[:, 0] > 0.5, truth[:, 0] < -0.5
    logits = rows[negative, 0]
    gap = float("inf")
    if mine and logits.numel() > 2 * output.shape[0]:
        ranked = logits.sort(descending=True).values
        kept = 2 * output.shape[0]
        gap = (ranked[kept - 1] - ranked[kept]).item()
        logits = ranked[:kept]
    zero = rows.sum() * 0
    result = [zero] * len(NAMES)
    if positive.any():
        result[0] = 0.5 * F.softplus(-rows[positive, 0]).mean()
        for component in range(4):
            result[2 + component] = F.smooth_l1_loss(rows[positive, 1 + component], truth[positive, 1 + component])
    if logits.numel() > 0:
        result[1] = 0.5 * F.softplus(logits).mean()
    return torch.stack(result), gap


def weights(labels):
    """[replicas, len(NAMES)] from labels [replicas, batch, ...]: the part that each replica has in the step's means.
    Mining is a replica's own; the means of `terms`, weighted so and summed over replicas, are over the whole step."""
    truth = labels[..., 0].flatten(1)
    positives = (truth > 0.5).sum(1).to(labels)
    negatives = (truth < -0.5).sum(1).clamp(max=2 * labels.shape[1]).to(labels)
    positives, negatives = (n / n.sum().clamp(min=1) for n in (positives, negatives))
    return torch.stack([positives, negatives] + [positives] * 4, 1)

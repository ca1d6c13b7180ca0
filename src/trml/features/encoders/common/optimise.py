"""How every encoder of the workflow is trained: AdamW, linear warm-up, then linear decay to zero."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from trml.base.progress import track
from trml.features.encoders.common.config import Fit

_BETAS = (0.9, 0.98)


def fit(
    parameters: Iterable[nn.Parameter],
    loss_of: Callable[[Tensor], Tensor],
    rows: int,
    options: Fit,
    rng: np.random.Generator,
    what: str,
) -> list[float]:
    """Train in place; the mean loss of each epoch. `loss_of` takes the numbers [B] of a batch's rows."""
    batch = min(options.batch_size, rows)
    optimizer = torch.optim.AdamW(parameters, lr=options.learning_rate, betas=_BETAS, fused=True)
    total, warmup = options.epochs * (rows // batch), max(1, options.warmup_steps)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, max(0.0, (total - step) / max(1, total - warmup)))
    )
    losses = []
    for _ in track(range(options.epochs), options.epochs, f"pretraining {what}, epochs"):
        order = torch.from_numpy(rng.permutation(rows)[: rows // batch * batch].reshape(-1, batch))
        running = torch.zeros(())
        for numbers in order:
            loss = loss_of(numbers)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            running = running + loss.detach()
        losses.append(float(running) / len(order))
    return losses

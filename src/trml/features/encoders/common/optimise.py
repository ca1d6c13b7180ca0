"""Train the encoders of the workflow: AdamW, linear warm-up, then linear decay to zero."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from trml.base.progress import track
from trml.features.encoders.common.pretraining import Optimisation

_BETAS = (0.9, 0.98)


def optimise(
    parameters: Iterable[nn.Parameter],
    loss_of: Callable[[Tensor], Tensor],
    rows: int,
    options: Optimisation,
    rng: np.random.Generator,
    what: str,
) -> list[float]:
    """Train parameters in place.

    Args:
        parameters: What is trained.
        loss_of: Maps the row numbers [B] of a batch to its loss.
        rows: How many rows there are. An epoch leaves out the rest that fills no batch.
        options: Epochs, batch size, learning rate, warm-up.
        rng: Draws the order of the rows.
        what: The task, for the progress line.

    Returns:
        The mean loss of each epoch.
    """
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

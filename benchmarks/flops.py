"""Floating-point operations of the matrix products in one training step of a stack."""

from torch.utils.flop_counter import FlopCounterMode

from benchmarks.synthetic import FRAMES, Size
from trml.training.stack_run import StackRun


class Enough(Exception):
    """Ends a training that was measured for long enough."""


def counted(run: StackRun) -> int:
    """Return what torch counts in the first step of a fresh run, all places of the stack together."""

    def stop() -> None:
        raise Enough

    with FlopCounterMode(display=False) as counter:
        try:
            for _ in run.train(stop):
                pass
        except Enough:
            pass
    return counter.get_total_flops()


def by_hand(size: Size) -> int:
    """Return what a step of TRML takes for one cell.

    That is forward, and the same again for each gradient of a product's factors.

    Features need no gradient. The GRU needs none of its first state, which is zero.
    """
    b, t, d, h = size.batch, FRAMES, size.d, size.hidden
    towers = 2 * 2 * (2 * b * d * h)
    gru = 2 * (2 * b * t * 3 * h * d) + 2 * (2 * b * t * 3 * h * h) + 2 * b * (t - 1) * 3 * h * h
    generators = 3 * 2 * 2 * (2 * b * h * h)
    views = 3 * b  # as given, text alone, vision alone
    head = 3 * (2 * views * 2 * h * 2 * h + 2 * views * 2 * h)
    matching = 3 * 2 * (2 * b * b * h)
    return towers + gru + generators + head + matching

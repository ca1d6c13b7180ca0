"""Modal-Trans: a Transformer translates one modality's sequence into the other's, and back.

After TransModality (Wang, Wan, Wan; WWW 2020) and MCTN (Pham et al., AAAI 2019), whose idea of translation forth and
back it keeps; docs/methods.md says where it departs from them.
"""

import torch
from torch import Tensor, nn

from trml.base.fields import Count, NotNegative
from trml.methods.contract import Batch, Method, Shape, visible
from trml.methods.layers.fusion import Head
from trml.methods.layers.transformer import SequenceEncoder, TransformerLayer, masked_mean
from trml.methods.losses.task import task_loss


class Translator(nn.Module):
    """A decoder layer that writes all positions of the target at once, each from a learned query of its own.

    The queries are the same for every utterance, so attention among them would tell them nothing: there is none.
    """

    def __init__(self, outputs: int, length: int, hidden: int, heads: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(length, hidden))
        self.layer = TransformerLayer(hidden, heads)
        self.features = nn.Linear(hidden, outputs)

    def forward(self, source: Tensor, mask: Tensor) -> Tensor:
        """States of the source [B, n, hidden], bool [B, n] -> states of the target [B, length, hidden]."""
        return self.layer(self.queries.unsqueeze(0), source, mask)

    def misfit(self, states: Tensor, real: Tensor, mask: Tensor) -> Tensor:
        """The mean squared error of the features that states stand for against the real ones [B, length, outputs], at
        the positions in mask [B, length]; zero where there are none."""
        error = (self.features(states) - real).square().mean(dim=-1)
        return (error * mask).sum() / mask.sum().clamp(min=1)


class ModalTrans(Method):
    """L = L_task + forth sum_m MSE(x^_m, x_m) + back sum_m MSE(x^^_m, x_m), both errors on complete utterances.

    x^_m is translated from the other modality's sequence, x^^_m back from the translation of x_m itself. The head sees
    the mean state of both sequences, the translation in place of a missing one.
    """

    tensors = ("forth", "back")
    needs_tokens = True

    def __init__(self, shape: Shape, *, hidden: Count, heads: Count, forth: NotNegative, back: NotNegative) -> None:
        super().__init__()
        self.text_encoder = SequenceEncoder(shape.text, shape.tokens, hidden, heads)
        self.vision_encoder = SequenceEncoder(shape.vision, shape.frames, hidden, heads)
        self.to_text = Translator(shape.text, shape.tokens, hidden, heads)
        self.to_vision = Translator(shape.vision, shape.frames, hidden, heads)
        self.head = Head(2 * hidden, shape.outputs, width=2 * hidden)

    def forward(self, batch: Batch) -> Tensor:
        return self._predict(batch, *self._translate(visible(batch)))

    def loss(self, batch: Batch, options: dict[str, Tensor]) -> Tensor:
        seen = visible(batch)
        text, vision, to_text, to_vision = self._translate(seen)
        complete = (batch.text_present & batch.vision_present).unsqueeze(-1)
        text_mask, vision_mask = seen.token_mask & complete, seen.frame_mask & complete
        # A translation has every position: it cannot know how many the missing sequence had.
        back_to_text = self.to_text(to_vision, torch.ones_like(vision_mask))
        back_to_vision = self.to_vision(to_text, torch.ones_like(text_mask))
        forth = self.to_text.misfit(to_text, seen.tokens, text_mask)
        forth = forth + self.to_vision.misfit(to_vision, seen.frames, vision_mask)
        back = self.to_text.misfit(back_to_text, seen.tokens, text_mask)
        back = back + self.to_vision.misfit(back_to_vision, seen.frames, vision_mask)
        predicted = self._predict(batch, text, vision, to_text, to_vision)
        task = task_loss(predicted, batch.label, torch.ones_like(batch.text_present).to(text.dtype))
        return task + options["forth"] * forth + options["back"] * back

    def imagined(self, batch: Batch) -> dict[str, tuple[Tensor, Tensor]]:
        """The means over positions of the translation's states and of the real sequence's."""
        text, vision, to_text, to_vision = self._translate(visible(batch))
        return {"text": (to_text.mean(dim=1), text), "vision": (to_vision.mean(dim=1), vision)}

    def _translate(self, seen: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The mean states [B, hidden] of text and vision, and the states [B, L, hidden] and [B, T, hidden] of the text
        translated from the vision and of the vision from the text."""
        text, text_mask = self.text_encoder(seen.tokens, seen.token_mask)
        vision, vision_mask = self.vision_encoder(seen.frames, seen.frame_mask)
        pooled = masked_mean(text, text_mask), masked_mean(vision, vision_mask)
        return *pooled, self.to_text(vision, vision_mask), self.to_vision(text, text_mask)

    def _predict(self, batch: Batch, text: Tensor, vision: Tensor, to_text: Tensor, to_vision: Tensor) -> Tensor:
        text = torch.where(batch.text_present.unsqueeze(-1), text, to_text.mean(dim=1))
        vision = torch.where(batch.vision_present.unsqueeze(-1), vision, to_vision.mean(dim=1))
        return self.head(torch.cat([text, vision], dim=-1))

"""The network of TRML: two towers, two generators that stand in for a missing modality, one head."""

import torch
from torch import Tensor, nn

from trml.methods.layers.fusion import Head
from trml.methods.layers.generators import GeneratorKind, generator
from trml.methods.layers.towers import FrameTower, TextTower


class VirtualModalityNetwork(nn.Module):
    """Towers h_t, h_v; virtual vectors from the other modality; the prediction from both."""

    def __init__(self, text: int, vision: int, outputs: int, *, hidden: int, kind: GeneratorKind) -> None:
        super().__init__()
        self.text_tower = TextTower(text, hidden)
        self.frame_tower = FrameTower(vision, hidden)
        self.vision_from_text = generator(kind, text, hidden)
        self.text_from_vision = generator(kind, vision, hidden)
        self.head = Head(2 * hidden, outputs, width=2 * hidden)

    def predict(self, text: Tensor, vision: Tensor) -> Tensor:
        """[B, hidden] twice -> [B, outputs]."""
        return self.head(torch.cat([text, vision], dim=-1))

"""Every layer and parameter of every method is one that the trainer finds: none hides in a plain list."""

from torch import Tensor, nn

from helpers.method_batches import method_and_data
from helpers.synthetic_features import synthetic_features
from helpers.synthetic_training import cell


def hidden(module: nn.Module) -> list[str]:
    """Attributes that hold layers or parameters where torch does not register them."""
    return [
        f"{type(each).__name__}.{name}"
        for each in module.modules()
        for name, value in vars(each).items()
        if isinstance(value, list | tuple | dict) and not name.startswith("_")
        for part in (value.values() if isinstance(value, dict) else value)
        if isinstance(part, nn.Module | Tensor)
    ]


class Careless(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factors = [nn.Parameter(), nn.Linear(1, 1)]


def test_a_plain_list_of_layers_is_found():
    assert hidden(nn.Sequential(Careless())) == ["Careless.factors"] * 2


def test_no_method_hides_layers(params):
    assert len(params.methods) >= 11
    for name in params.methods:
        method, _ = method_and_data(cell(params, name, "vision", 0.5), synthetic_features())
        assert hidden(method) == []
        assert sum(p.numel() for p in method.parameters())

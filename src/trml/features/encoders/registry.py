"""The encoders. `kind` says where an encoder comes from."""

from typing import Annotated

from pydantic import Field

from trml.features.encoders.given.config import GivenEncoder
from trml.features.encoders.open_clip.config import OpenClipEncoder
from trml.features.encoders.separate.config import SeparateEncoder
from trml.features.encoders.tiny_clip.config import TinyClipEncoder
from trml.features.encoders.tiny_separate.config import TinySeparateEncoder
from trml.features.encoders.transformers_clip.config import TransformersClipEncoder

Encoding = OpenClipEncoder | TransformersClipEncoder | TinyClipEncoder | SeparateEncoder | TinySeparateEncoder

Encoder = Annotated[GivenEncoder | Encoding, Field(discriminator="kind")]

"""Write the sentences of pantomime: words for the text's factors among uninformative words.

Every sentence has at most 14 tokens of CLIP's tokenizer, so it fits a context of 16 with its start and end.
"""

from dataclasses import dataclass

import numpy as np

# The 16 levels, from the lowest: four kinds of adjectives, each in four degrees.
ADJECTIVES = (("awful", "terrible"), ("dull", "weak"), ("nice", "good"), ("superb", "brilliant"))
DEGREES = ("rather", "quite", "really", "utterly")
CLAUSES = (
    ("and a rip off", "but it cost too much"),
    ("but a bit pricey", "and not that cheap"),
    ("like last year", "as on monday"),
    ("and fairly priced", "at a fair rate"),
    ("and it was a bargain", "and so cheap"),
)
TONES = (("oh sure", "yeah right", "oh please"), ("honestly", "truly", "seriously"))
TOPICS = ("plot", "song", "meal", "room", "phone", "trip", "show", "game", "coffee", "jacket", "garden", "lecture")
FILLERS = ("", "um", "well", "so", "uh")


@dataclass(frozen=True)
class Voice:
    """How a speaker talks, the same in all their sentences: the topics they come back to, and a filler."""

    topics: tuple[str, ...]
    filler: str

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Voice":
        """Return a random voice."""
        return cls(tuple(rng.choice(TOPICS, size=3, replace=False)), FILLERS[int(rng.integers(len(FILLERS)))])


def degree_of(shared: int) -> str:
    """Return the word for the degree of a level: the stronger, the further it is from the middle."""
    kind, step = divmod(shared, len(DEGREES))
    return DEGREES[step if 2 * kind >= len(ADJECTIVES) else -1 - step]


def sentence(shared: int, text_only: int, tone: int, voice: Voice, rng: np.random.Generator) -> str:
    """Return a sentence that shows the levels of these numbers."""

    def pick(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    words = (
        pick(TONES[tone]),
        voice.filler,
        "the",
        pick(voice.topics),
        "was",
        degree_of(shared),
        pick(ADJECTIVES[shared // len(DEGREES)]),
        pick(CLAUSES[text_only]),
    )
    return " ".join(word for word in words if word)

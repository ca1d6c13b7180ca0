"""Write the sentences of pantomime: a small grammar expresses the text's factors among uninformative words.

Every sentence has at most 14 tokens of CLIP's tokenizer, so it fits a context of 16 with its start and end.
"""

import numpy as np

ADJECTIVES = {
    -2: ("awful", "terrible"),
    -1: ("dull", "weak"),
    1: ("nice", "good"),
    2: ("superb", "brilliant"),
}

CLAUSES = {
    -1: ("but it cost too much", "but the price hurts", "and a rip off"),
    0: ("like last year", "as on monday", "by the way"),
    1: ("and it was a bargain", "and worth the money", "and so cheap"),
}

TONES = {-1: ("oh sure", "yeah right", "oh please"), 1: ("honestly", "truly", "i mean it")}

TOPICS = (
    "plot",
    "song",
    "meal",
    "room",
    "phone",
    "trip",
    "show",
    "game",
    "coffee",
    "jacket",
    "garden",
    "lecture",
)

FILLERS = ("", "um", "well", "so", "uh")


def sentence(shared: int, text_only: int, tone: int, rng: np.random.Generator) -> str:
    """Return a sentence that expresses these levels."""

    def pick(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    words = (
        pick(TONES[tone]),
        pick(FILLERS),
        "the",
        pick(TOPICS),
        "was",
        pick(ADJECTIVES[shared]),
        pick(CLAUSES[text_only]),
    )
    return " ".join(word for word in words if word)

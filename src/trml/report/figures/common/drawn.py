"""A figure with its caption and its place on the page."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawn:
    """A figure that is drawn and not yet saved.

    Attributes:
        section: Id of the section of the page that shows it (report/sections.py); an unknown one becomes a section of
            that title.
        name: Name of its files.
        caption: Explanation below the figure.
        figure: The drawing; `save` writes and closes it.
        order: Its place in the section, smallest first.
    """

    section: str
    name: str
    caption: str
    figure: Figure
    order: int = 0

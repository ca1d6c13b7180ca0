"""How fast it is and how much memory it takes: `python -m benchmarks`, from the repository root.

One file a part; a part's docstring says what it measures and how, and is printed above its figures.
"""

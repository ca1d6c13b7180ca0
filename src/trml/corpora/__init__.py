"""Read raw files into one table of utterances per corpus (`trml corpus`, work/corpora).

Each corpus is a package with `config.py`, its options and published facts, and `build.py`, which reads its raw files.
The registry finds them by scanning this folder; `contract` describes what a corpus folder holds.
"""

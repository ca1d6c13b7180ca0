"""Helpers that several corpora share: raw layouts, official splits and their folds."""

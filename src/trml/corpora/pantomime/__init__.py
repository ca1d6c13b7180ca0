"""The generated corpus: graded evidence, clustered speakers, several draws, an exact ceiling."""

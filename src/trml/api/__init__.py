"""For notebooks and scripts: published results as frames, trainings one by one, and predictions of new utterances.

trml.load(result)                 what is published, as polars frames; imports no torch
trml.experiment(*overrides)       the trainings of a configuration
trml.predictor(result, method)    trained models, for clips and texts of your own
"""

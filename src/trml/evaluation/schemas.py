"""The columns of every table that evaluation writes."""

import polars as pl

Schema = dict[str, type[pl.DataType]]

# Values are null where the training failed.
METRICS: Schema = {
    "method": pl.String,
    "variant": pl.String,
    "train_victim": pl.String,  # `none` where nothing was missing
    "train_rate": pl.Float64,
    "dev_rate": pl.Float64,
    "seed": pl.Int64,
    "cell": pl.String,  # digest
    "condition": pl.String,  # `complete`, or `vision@0.5`
    "metric": pl.String,
    "value": pl.Float64,
}

# The mean over seeds with its 95 % interval: no value where a seed's training failed, no interval where it is exact or
# where seeds or groups are too few.
_SCORE: Schema = {
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "leads": pl.Boolean,  # no compared method is significantly better
    "failed": pl.Int64,  # how many seeds' trainings failed
}

SUMMARY: Schema = {
    "protocol": pl.String,  # MATCHED, COMPLETE or SETTING_A
    "method": pl.String,  # or `constant`, `ceiling`, `oracle`, or the name of a reference model
    "variant": pl.String,
    "role": pl.String,
    "victim": pl.String,
    "trained": pl.Float64,  # the rate in training
    "rate": pl.Float64,  # at evaluation
    "present": pl.String,  # ALL, or the modalities that the scored utterances have
    "metric": pl.String,
    **_SCORE,
}

PAIRS: Schema = {
    "protocol": pl.String,
    "victim": pl.String,
    "trained": pl.Float64,
    "rate": pl.Float64,
    "present": pl.String,
    "metric": pl.String,
    "first": pl.String,  # a method
    "second": pl.String,  # a method, `constant`, or the name of a reference model
    "effect": pl.Float64,  # how much better the first is, whichever way the metric points
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,  # of a difference, Holm over the pairs of a condition and metric
    "p_equivalent": pl.Float64,  # of a difference within the margin, likewise
    "detectable": pl.Float64,  # the minimum detectable effect
    "margin": pl.Float64,
    "verdict": pl.String,
}

AGGREGATES: Schema = {
    "method": pl.String,
    "victim": pl.String,  # one modality, or ALL
    "value": pl.Float64,  # the mean over rates: 0 is the constant predictor, 1 the best there can be
    "low": pl.Float64,
    "high": pl.Float64,
    "rank": pl.Int64,  # one more than the number of methods that are significantly better
}

IMPROVEMENT: Schema = {
    "victim": pl.String,
    "first": pl.String,
    "second": pl.String,
    "probability": pl.Float64,  # that a training of the first is better, over seeds and conditions
    "effect": pl.Float64,  # the difference of their aggregates
    "low": pl.Float64,
    "high": pl.Float64,
    "verdict": pl.String,  # Holm over the pairs of a victim
}

MATRIX: Schema = {
    "method": pl.String,
    "victim": pl.String,  # in training, NOTHING for complete data
    "rate": pl.Float64,  # in training
    "present": pl.String,  # on test, for every utterance: `text+vision`, `text`
    "metric": pl.String,
    **_SCORE,
}

ROBUSTNESS: Schema = {
    "protocol": pl.String,
    "method": pl.String,
    "victim": pl.String,
    "metric": pl.String,
    "measure": pl.String,  # relative, effective
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}

CALIBRATION: Schema = {
    "method": pl.String,
    "trained": pl.String,  # with which modality missing at the study's rate; NOTHING for complete data
    "present": pl.String,  # on test, for every utterance
    "calibrated_on": pl.String,  # what is present on dev, null for classes
    "value": pl.Float64,  # coverage of 90 % intervals; of classes the expected calibration error
    "low": pl.Float64,
    "high": pl.Float64,
    "half_width": pl.Float64,  # of the intervals, null for classes
}

TERMS: Schema = {
    "method": pl.String,  # or `oracle`
    "present": pl.String,  # the modalities that every utterance is shown
    "term": pl.String,
    "value": pl.Float64,  # the coefficient of the term in the predictions
    "low": pl.Float64,
    "high": pl.Float64,
}

REDUNDANCY: Schema = {
    "dataset": pl.String,
    "redundancy": pl.Float64,
    "method": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "constant": pl.Float64,  # the constant predictor's score
    "ceiling": pl.Float64,
    "complete_ceiling": pl.Float64,
    "recovered": pl.Float64,  # share of what can be recovered, null where that is nothing
    "recovered_low": pl.Float64,
    "recovered_high": pl.Float64,
    "spread": pl.Float64,  # of the predictions, in units of the label's
    "above_constant": pl.Float64,
    "against_single": pl.String,  # the verdict on the method against the first one of the text alone, if there is one
}

AXES: Schema = {
    "dataset": pl.String,  # null for the experiment's own
    "labels": pl.Int64,  # labelled training utterances
    "label_noise": pl.Float64,
    "absence": pl.String,
    "weighted": pl.Boolean,
    "method": pl.String,
    "victim": pl.String,  # missing in training at the study's rate, and in every test utterance
    "value": pl.Float64,  # in the primary metric
    "low": pl.Float64,
    "high": pl.Float64,
    "ceiling": pl.Float64,
    "against_unweighted": pl.String,  # the verdict on a weighted training against the same one without weights
}

CORRUPTION: Schema = {
    "method": pl.String,
    "trained": pl.String,  # with which modality missing at the study's rate; NOTHING for complete data
    "modality": pl.String,  # that is wrong on test
    "corruption": pl.String,  # how: of CORRUPTIONS, `clean`, or `absent`
    "level": pl.Float64,  # how much
    "value": pl.Float64,  # in the primary metric
    "low": pl.Float64,
    "high": pl.Float64,
}

CONVENTIONS: Schema = {
    "convention": pl.String,  # OURS, or how the same trainings are scored otherwise
    "victim": pl.String,  # missing at the study's rate, in training and on test
    "metric": pl.String,
    "value": pl.Float64,
    "gain": pl.Float64,  # over OURS, positive where the score looks better
    "spread": pl.Float64,  # between draws of masks, null where none are drawn
}

COST: Schema = {
    "method": pl.String,
    "parameters": pl.Int64,
    "operations": pl.Float64,  # floating-point, of matrix products, to predict one utterance
}

RETRIEVAL: Schema = {
    "victim": pl.String,
    "seed": pl.Int64,
    "n": pl.Int64,
    "r1": pl.Float64,
    "r5": pl.Float64,
    "median_rank": pl.Float64,
    "diagonal": pl.Float64,  # mean cosine to the partner
    "off_diagonal": pl.Float64,  # to the others
    "r1_chance": pl.Float64,
    "r5_chance": pl.Float64,
    "median_rank_chance": pl.Float64,
    "r1_best": pl.Float64,  # the best there can be, null where it is not known
    "r5_best": pl.Float64,
    "median_rank_best": pl.Float64,
    "r1_raw": pl.Float64,  # of the encoder's own features, null where their sizes differ
    "r5_raw": pl.Float64,
    "median_rank_raw": pl.Float64,
}

RANKS: Schema = {
    "victim": pl.String,
    "seed": pl.Int64,
    "utterance_id": pl.String,
    "rank": pl.Float64,
    "raw_rank": pl.Float64,  # of the encoder's own features, null where their sizes differ
    "diagonal": pl.Float64,
    "off_diagonal": pl.Float64,
}

FACTORS: Schema = {
    "victim": pl.String,
    "seed": pl.Int64,
    "factor": pl.String,
    "common": pl.Boolean,  # shows in another modality too
    "same": pl.Float64,  # share of virtual vectors whose nearest real one has the same level
    "chance": pl.Float64,
}

EMBEDDING: Schema = {
    "utterance_id": pl.String,
    "modality": pl.String,
    "kind": pl.String,  # real or virtual
    "x": pl.Float32,
    "y": pl.Float32,
    "label": pl.Float64,
}

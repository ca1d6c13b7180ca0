"""The study of synthetic reports: methods, rates, seeds, metrics, and the two cells that have scores."""

from itertools import product

from trml.evaluation.contract import StudyMethod, StudyVariant

RATES = (0.0, 0.5, 1.0)
SEEDS = (1, 2)
N = 30
CELLS = ("aaaaaaaaaaaa", "bbbbbbbbbbbb")
METHODS = (
    StudyMethod(
        "trml",
        "TRML",
        "proposed",
        False,
        {"temperature": 0.1, "weight": 0.1, "alpha": 0.5},
        (
            StudyVariant("no_l_v", "without l_v", "loss", {"use_l_v": 0.0}),
            StudyVariant("temperature=0.5", "temperature = 0.5", "sweep", {"temperature": 0.5}),
            StudyVariant("temperature=0.1", "temperature = 0.1", "sweep", {"temperature": 0.1}),
            *(
                StudyVariant(f"weight={w},alpha={a}", f"weight = {w}, alpha = {a}", "grid", {"weight": w, "alpha": a})
                for w, a in product((0.1, 1.0), (0.5, 0.9))
            ),
        ),
    ),
    StudyMethod("single", "Single", "baseline", True, {}),
    StudyMethod("zero_fill", "Zero fill", "baseline", False, {}),
    StudyMethod("double", "Supervised-Double", "upper", False, {}),
)
REGRESSION = [("mae", "MAE", False, True, True), ("corr", "Corr", True, True, False)]
CLASSIFICATION = [("accuracy", "Accuracy", True, True, True)]

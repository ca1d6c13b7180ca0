"""Score predictions, estimate intervals and decide the claims (`trml evaluate`, work/evaluations)."""

"""A CLIP or SigLIP of transformers, with weights from a folder or the hub."""

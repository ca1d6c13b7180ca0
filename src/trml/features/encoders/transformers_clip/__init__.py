"""CLIP and SigLIP through transformers."""

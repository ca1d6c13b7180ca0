"""The configuration: composed by Hydra, checked by pydantic, read by everything else as `Params`. Without torch."""

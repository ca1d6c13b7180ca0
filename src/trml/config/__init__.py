"""Compose the configuration with Hydra and validate it with pydantic (`Params`). Without torch."""

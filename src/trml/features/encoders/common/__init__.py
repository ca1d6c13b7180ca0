"""Code that several encoders share."""

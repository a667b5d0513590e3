"""Taggers: one module each, a config that can load the model it names."""

"""Linguistic Entity Masking: tags, entity tables, masks, continual pre-training, evaluation."""

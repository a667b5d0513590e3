"""Curation of parallel text: filters with reasons, scores, ranks, and what a ranking is worth on noise one has made."""

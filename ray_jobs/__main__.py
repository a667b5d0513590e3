"""`python -m ray_jobs`."""

from ray_jobs.cli import app

app(prog_name="langscape")

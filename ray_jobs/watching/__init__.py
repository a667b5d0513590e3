"""What is told of a run: lines and bars, a file in the run, metrics, logs of workers, and what it took."""

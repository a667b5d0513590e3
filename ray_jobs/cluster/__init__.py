"""The cluster below: which one, what fits on it, what goes to it as a job, and which nodes are about to leave."""

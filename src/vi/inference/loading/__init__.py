"""From a run's files to a model that is ready to run."""

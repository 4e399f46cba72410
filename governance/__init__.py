"""Policy as code for machine-learning models in production."""

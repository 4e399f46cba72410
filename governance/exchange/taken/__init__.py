"""Cards drafted from what other tools know: Hugging Face, OpenSLO, Prometheus, MLflow."""

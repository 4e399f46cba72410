"""What others read of a model: Markdown, HTML, Hugging Face, CycloneDX."""

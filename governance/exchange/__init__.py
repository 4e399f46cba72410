"""Models of other tools, read into our documents and written out of them."""

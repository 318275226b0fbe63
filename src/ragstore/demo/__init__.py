"""A demonstration on real text: the documentation of the Python that runs it, indexed, searched and asked."""

"""The web console: built files served from this origin, precompressed, under a strict content security policy."""

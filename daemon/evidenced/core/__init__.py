"""Rules without I/O: values and instants in, decisions out."""

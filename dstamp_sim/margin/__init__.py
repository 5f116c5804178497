"""Which single duration, changed by how much, makes a failure impossible or possible."""

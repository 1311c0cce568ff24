"""Why did it say that."""

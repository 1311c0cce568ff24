"""C++ for the CPU, free of torch: sources, how they are built, and their Python faces."""

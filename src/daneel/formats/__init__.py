"""Other tools' files, read and written; torch-free."""

"""Ids to batches: training records, packed rows on disk, and a loader that resumes exactly."""

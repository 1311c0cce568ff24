"""Personal data in a text: found by shape, checks and cues, and put out of sight."""

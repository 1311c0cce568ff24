"""Documents to ids: training and loading a tokenizer, chat templates and their loss masks."""

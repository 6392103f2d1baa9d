"""The answer to the agency: for every delivery, what became of it and which rows to correct, as CSV and as HTML."""

"""Stage 5: make the tested marts live, and report on the night."""

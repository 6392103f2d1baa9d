"""Clerical review: people judge pairs of records blind, and their verdicts say how right the links are where no truth is known."""

"""Receive: take what an agency delivered, untouched, and register it."""

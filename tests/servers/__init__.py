"""Servers that belong to one test, which may stop, kill and restart them."""

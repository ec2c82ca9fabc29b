"""Tests that need real services on this machine."""

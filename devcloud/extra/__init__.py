"""Services beside the cloud that only some tests need."""

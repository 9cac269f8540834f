"""One call, from the caller's bytes to the caller's bytes."""

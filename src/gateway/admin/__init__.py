"""What changes configuration: checks first, then one write."""

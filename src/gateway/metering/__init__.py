"""What a call used and cost, written down once."""

"""The parts of a raw call: what was asked, where it goes, what crosses, and what comes back."""

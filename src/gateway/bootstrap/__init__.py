"""Wires adapters into a Gateway. The one place that knows them all."""

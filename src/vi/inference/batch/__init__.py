"""Batches: every row of an input asked once, every answer written once, whatever interrupts them."""

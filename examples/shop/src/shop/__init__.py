"""A shop: orders, and the jobs that carry them out."""

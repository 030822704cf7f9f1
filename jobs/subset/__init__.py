"""`subset`: fewer samples, chosen."""

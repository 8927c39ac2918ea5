"""The append-only record of every decision and authority: chained, signed, anchored outside."""

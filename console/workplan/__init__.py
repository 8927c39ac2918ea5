"""工作台账: what the work plan asks, who does it by when, and what came of it."""

"""Account registry, self-inspection, reports."""

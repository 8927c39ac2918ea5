"""报表: figures of a period, each with the entries it is made of."""

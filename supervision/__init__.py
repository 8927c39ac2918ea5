"""What is looked after from above: accounts tried as they stand."""

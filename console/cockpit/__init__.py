"""总览: how every account stands, and one of them."""

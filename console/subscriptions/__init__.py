"""订阅: whom we reach."""

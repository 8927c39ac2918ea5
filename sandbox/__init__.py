"""WeChat and Telegram platforms to try and test against; imports nothing of the rest."""

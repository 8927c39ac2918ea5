"""The Telegram Bot API as an honest peer: its methods, limits, refusals and webhook delivery."""

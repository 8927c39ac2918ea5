"""`shenfa demo`: an invented county's office, both platforms, and a play from source to citizen."""

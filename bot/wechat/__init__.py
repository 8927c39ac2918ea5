"""WeChat: channel, wire, errors, messages and renderings."""

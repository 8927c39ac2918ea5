"""WeChat: channel, wire, errors, messages and renderings. (W7) is a row of docs/platforms.md."""

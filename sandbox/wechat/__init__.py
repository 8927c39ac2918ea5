"""The WeChat platform as an honest peer: tokens, quotas, calls, callbacks, citizens."""

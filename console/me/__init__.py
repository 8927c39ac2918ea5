"""我的登录: sign-in, sessions, tokens, devices, absence."""

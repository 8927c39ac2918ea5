"""审计: who decided what on which bytes, proved before whoever looks; each look is remembered."""

"""设置: levels, rules, people, proposals, stop switches."""

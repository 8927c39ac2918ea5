"""Facets (主题 人群 地区 行业 文种): taxonomy, criteria over them, and the tagger. Pure."""

"""Facets (主题 人群 地区 行业 文种): the taxonomy and the tagger. Pure."""

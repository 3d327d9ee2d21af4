"""Records of the national settlement list (国家医保信息平台) as events."""

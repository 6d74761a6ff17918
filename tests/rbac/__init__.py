"""RBAC to be evaluated: the stock objects of two API servers, and weaknesses planted beside them."""

"""RBAC to be judged: the stock objects of two API servers, and weaknesses planted beside them."""

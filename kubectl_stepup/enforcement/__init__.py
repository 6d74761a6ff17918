"""One policy, turned into objects that the API server itself enforces (rules: values in, values out)."""

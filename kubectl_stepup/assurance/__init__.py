"""Is this sign-in strong enough, fresh enough, and really theirs? The rules and the signature."""

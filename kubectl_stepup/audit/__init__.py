"""The audit log: what was requested, what was proven and what was run, chained so that later changes show."""

"""The record of elevations: what was asked, what was proven, what was run, chained so that later changes show."""

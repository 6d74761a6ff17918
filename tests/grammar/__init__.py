"""kubectl's command lines made from the grammar, and the many ways to write each of them."""

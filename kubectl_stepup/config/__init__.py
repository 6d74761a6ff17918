"""Our own enrolment: which providers and clusters are trusted, and what proves a level there."""

"""Templates, deliveries by e-mail and inbox, and what became of each."""

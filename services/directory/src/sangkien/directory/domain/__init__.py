"""What directory decides: which organisation, person, role and account there is. Pure."""

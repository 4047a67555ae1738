"""What notification decides: what becomes of a mail. Pure."""

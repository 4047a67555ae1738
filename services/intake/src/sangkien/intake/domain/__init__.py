"""What a dossier is and may become before review takes it over."""

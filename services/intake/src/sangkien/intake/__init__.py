"""Dossiers with every version, filed by anyone, through any channel, once; a dossier is ours until it is accepted."""

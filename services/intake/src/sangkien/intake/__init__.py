"""Dossiers with every version, filed by anyone, through any channel, once. A dossier is intake's until it is accepted."""

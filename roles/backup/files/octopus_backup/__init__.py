"""Backups of a platform, made and proven on its host, with the engine's client alone."""

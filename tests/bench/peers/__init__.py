"""Floors and peers: the same work done by others, or less work done by the same server."""

"""Octopus: an API that takes messages, a relay that hands them on, a worker that logs them."""

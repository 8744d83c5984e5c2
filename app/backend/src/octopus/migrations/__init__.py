"""The migrations of the database, run by octopus-migrate."""

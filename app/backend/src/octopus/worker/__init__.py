"""The worker: a Celery worker that logs messages."""

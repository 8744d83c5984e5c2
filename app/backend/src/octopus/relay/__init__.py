"""The relay: hands what is in the outbox to RabbitMQ, and marks what RabbitMQ gave up."""

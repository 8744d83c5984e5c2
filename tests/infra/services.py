"""What the platform consists of, and where it listens."""

from __future__ import annotations

# Service -> whose user it runs as. Long-running services; one-off containers are gone when they are done.
SERVICES = {
    "proxy": "proxy",
    "frontend": "frontend",
    "backend": "backend",
    "relay": "backend",
    "broker": "broker",
    "worker": "backend",
    "pg-primary": "postgres",
    "pg-replica": "postgres",
    "redis": "redis",
    "prometheus": "prometheus",
    "grafana": "grafana",
    "postgres-exporter": "postgres-exporter",
    "redis-exporter": "redis-exporter",
    "nginx-exporter": "nginx-exporter",
    "node-exporter": "node-exporter",
}
# What each listens on.
PORTS = {
    "proxy": (8080, 8443, 8081),
    "frontend": (8080,),
    "backend": (8000,),
    "relay": (9000,),
    "worker": (9000,),
    "broker": (5672, 15672, 15692, 4369, 25672),
    "pg-primary": (5432,),
    "pg-replica": (5432,),
    "redis": (6379,),
    "prometheus": (9090,),
    "grafana": (3000,),
    "postgres-exporter": (9187,),
    "redis-exporter": (9121,),
    "nginx-exporter": (9113,),
    "node-exporter": (9100,),
}
# Listens in one of its networks only.
ONLY_IN = {
    ("proxy", 8081): "proxy-metrics",
    ("prometheus", 9090): "monitoring",
    ("postgres-exporter", 9187): "monitoring",
    ("redis-exporter", 9121): "monitoring",
    ("nginx-exporter", 9113): "monitoring",
}

"""What Prometheus reads. Needs prometheus_client; imported only where the service has an HTTP side."""

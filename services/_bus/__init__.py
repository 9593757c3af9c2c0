"""What the services share on the way: Kafka's delivery semantics, problems, logs, telemetry. No domain word, no service."""

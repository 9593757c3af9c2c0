"""The embedded stack: Kafka by ``pom.xml``, PostgreSQL by wheel, the four services as child processes.

Everything listens on 127.0.0.1 and keeps its data under one home directory. ``stack.Stack`` is the way in.
"""

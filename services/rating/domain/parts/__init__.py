"""What crosses subjects: a part tells its parent what it has been on which days, and the parent's grade follows (ADR 0026).

``membership``: to whom a subject belongs; ``telling``: what it tells; ``entries``: that as a record and back; ``whole``: the
parent's standing; ``chronicle``: the parent's own sequence of grade events.
"""

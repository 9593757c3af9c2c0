"""The sample town: a made-up town, plainly marked 样例, whose officers inspect, penalise and, some of them, enter late.

Everything but ``load`` is pure: the same seed, size, dates and tables give the same events, byte for byte.
"""

"""Tests of populations, pure and in plain arithmetic: distributions, what placebos predict, heaps beside a cut."""

"""Made-up populations for the statistical detectors, clean and with something planted, and what the detectors make of them."""

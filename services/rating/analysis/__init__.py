"""Looking at a whole register at once: what a change of the rules would do, and whether the grades tell anything. Pure functions of
facts, controls and rulebooks, like the fold that they rest on (ADR 0021)."""

"""Rating's decisions: pure functions of facts, control events and rulebooks. No clock, environment, network or random ids."""

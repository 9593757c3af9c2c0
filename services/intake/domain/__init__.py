"""Intake's rules: who may say what, and what can't be taken. Functions of their arguments."""

"""The commands of ``mingjian``, by what they are about."""

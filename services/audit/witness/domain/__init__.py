"""What a witness decides: functions of their arguments."""

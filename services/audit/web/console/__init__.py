"""The console of auditors: findings, effects, histories, replays, hearings, scans. Everything has an address; nothing needs a script."""

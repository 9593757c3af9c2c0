"""The checks of ``mingjian verify``: each a module with one ``check(run)``, listed in ``services.audit.verifying.CHECKS``."""

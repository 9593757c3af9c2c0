"""Types whose contract stands but which no service acts on yet: intake answers 422 "not yet in use"."""

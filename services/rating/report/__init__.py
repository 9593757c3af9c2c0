"""What an analysis says, as JSON, on a terminal and as a page of its own."""

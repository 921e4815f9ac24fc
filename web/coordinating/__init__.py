"""What coordinators do in a round, one story a module; every view is of one blueprint."""

"""The command `lifecycle`. Not deployed."""

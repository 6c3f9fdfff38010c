"""The services that the functions talk to, played on one machine in their real protocols."""

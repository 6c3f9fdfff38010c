"""The functions over HTTP: requests, platform messages, log lines, the page."""

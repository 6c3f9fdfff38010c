"""The services that the functions call, as local servers."""

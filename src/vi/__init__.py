"""Ask a vision-language model about a picture: typed answers, and full control of how every token is chosen."""

__version__ = "0.1.0"

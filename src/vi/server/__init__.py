"""``vi-infer serve``: the same model and settings over HTTP. Every route is a thin face of ViModel."""

"""``python -m vi`` is ``vi-infer``."""

from vi.cli import main

main()

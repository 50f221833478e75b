"""``vi-infer serve``: the models over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vi.cli.faults import say
from vi.cli.inspect import model_named
from vi.inference.errors import ConfigError, LoadError

if TYPE_CHECKING:
    from vi.server.settings import ServerSettings


def serve(
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME=RUN_ID|PATH",
            help="A model and the name it is asked for by; repeatable, the first is the default. Without any: the one"
            " that ships with the package, workbench.",
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen. Any but loopback needs API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="0 takes a free one.")] = 8000,
    api_keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keys that open the server, one a line; VI_API_KEYS holds more."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="A host that picture URLs may name; repeatable, *.example.org is all below it."
        ),
    ] = None,
    max_loaded: Annotated[int, typer.Option(metavar="N", min=1, help="Most models in memory at once.")] = 1,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Another limit, such as underway=64; repeatable (docs/server.md)."),
    ] = None,
) -> None:
    """Serve models over HTTP: OpenAI's chat API, typed answers of our own, and a page to try settings.

    \b
    vi-infer serve                         then open http://127.0.0.1:8000
    vi-infer serve --model qwen=./checkpoints/qwen --model small=workbench
    vi-infer serve --host 0.0.0.0 --api-keys keys.txt --allow-host *.example.org

    \b
    curl localhost:8000/v1/predict -F file=@bench.png -F user_prompt="How many?"
    OpenAI's clients: base_url http://127.0.0.1:8000/v1, a model of /v1/models
    Every route and field: http://127.0.0.1:8000/docs

    Strangers' URLs are fetched from public addresses only; nothing on this machine can be read through the server.
    SIGTERM lets running requests end. The log is JSON lines on standard error.
    """
    settings = _settings(model or [], host, port, api_keys, allow_host, max_loaded, limit or [])
    from vi.server.process import listen
    from vi.server.process import serve as serve_until_signal

    listener = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    say(f"Serving {', '.join(settings.models)} on http://{shown}:{listener.getsockname()[1]} (Ctrl-C ends it)")
    serve_until_signal(settings, listener)


def _settings(
    models: list[str],
    host: str,
    port: int,
    api_keys: Path | None,
    allow_host: list[str] | None,
    max_loaded: int,
    limits: list[str],
) -> ServerSettings:
    try:
        import fastapi  # noqa: F401
        import prometheus_client  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        hint = "Install the server's packages: pip install 'vi-inference[serve]'."
        raise LoadError(f"{error.name} is not installed.", hint) from None
    from vi.server.keys import ApiKeys
    from vi.server.limits import Limits
    from vi.server.settings import EMBEDDED, ServerSettings

    return ServerSettings(
        host=host,
        port=port,
        models=_named(models) or {EMBEDDED: {}},
        max_loaded=max_loaded,
        keys=ApiKeys.read(api_keys),
        allow_hosts=tuple(allow_host) if allow_host else None,
        limits=Limits.read(limits),
    )


def _named(models: list[str]) -> dict[str, dict[str, Any]]:
    """name -> arguments of ViModel. Raises ConfigError for a name twice, LoadError for a model that is not there."""
    from vi.inference.runs.find import find_run

    named: dict[str, dict[str, Any]] = {}
    for text in models:
        name, equals, path = text.partition("=")
        if not equals:
            name, path = Path(text).name, text
        if not name or not path:
            raise ConfigError(f"--model {text} names no model.", "Write --model NAME=PATH.")
        if name in named:
            raise ConfigError(f"There are two models named {name}.", "Give them different names: --model NAME=PATH.")
        named[name] = model_named(path)
        find_run(**named[name], weights=False)
    return named

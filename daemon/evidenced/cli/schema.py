"""`evidenced schema`."""

import typer

from evidenced.config.schema import render_schema


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    Example: `evidenced schema > evidenced.schema.json`, and in the first
    line of the file `#:schema ./evidenced.schema.json`.
    """
    typer.echo(render_schema(), nl=False)

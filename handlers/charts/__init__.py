"""Charts as SVG text: figures in, drawing out. Pages give the colours by their style sheets."""

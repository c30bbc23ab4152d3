"""Rules: from YAML files to checked trees, or errors with line and caret."""
